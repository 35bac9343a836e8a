"""Rates as codes: what gates read of them, and a whole training that does."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.config import TrainerPart
from pipeline.model.export import export_model, raw_columns
from pipeline.model.ranking_model import RankingModel
from pipeline.training import trainer
from tests.helpers.exported_requests import TOLERANCE, rank_inputs, stacked
from tests.helpers.random_model import (
    BATCH,
    by_example,
    check_shared_equals_tiled,
    embedding_rows,
    random_batch,
    shuffled_weights,
)
from tests.helpers.rated_rows import BUCKETS, rated_row, rated_rows, rated_settings
from tests.helpers.training_arguments import run_arguments

pytestmark = pytest.mark.filterwarnings("ignore:Even though the `tf.config")

CODES = [
    {"personalization_code": ["user_like_rate"]},
    {"personalization_code": ["video_like_rate"]},
    {"personalization_code": ["avc", "user_x_author_like_rate"]},
    {"module_codes": {"mlp": ["user_like_count"], "mmoe": ["video_like_count"]}},
    {"input_codes": ["user_like_rate", "video_like_count"]},
    {
        "personalization_code": [{"input": "user_like_rate", "encoding": "embedded"}],
        "input_codes": [{"input": "user_like_rate", "encoding": "one_hot"}],
    },
]


def model_of(**model):
    config = rated_settings(model={**rated_settings().model.model_dump(), **model})
    tf_keras.utils.set_random_seed(3)
    made = RankingModel(config, embedding_rows(config))
    made(random_batch(config))
    return made, config


@pytest.mark.parametrize("codes", CODES)
def test_a_user_given_once_scores_as_one_repeated(codes):
    model, config = model_of(**codes)
    shuffled_weights(model)
    check_shared_equals_tiled(model, config)


@pytest.mark.parametrize("name", ["user_like_rate", "video_like_rate"])
def test_the_code_is_the_buckets_place_and_gates_are_computed_by_code(name):
    model, config = model_of(personalization_code=[name])
    buckets = [0, 1, 2, 3, 4, 5]
    batch = {**random_batch(config), f"{name}_bucket": tf.constant(buckets, tf.int64)}
    made = model.personalization_code(batch)["mlp"]
    assert made.codes.shape == (BUCKETS + 1, 3)
    z = np.array([0, -1.6, -0.8, 0, 0.8, 1.6], np.float32)  # 0 is missing
    expected = np.stack([z, np.maximum(z, 0), np.maximum(-z, 0)], axis=1)
    np.testing.assert_allclose(by_example(made), expected, rtol=1e-6, atol=1e-7)


def test_a_code_of_the_user_has_one_row_and_one_of_a_video_its_rows():
    model, config = model_of(
        module_codes={"mlp": ["user_like_rate"], "mmoe": ["video_like_rate"]}
    )
    batch = random_batch(config)
    batch = {n: v if n.startswith("video") else v[:1] for n, v in batch.items()}
    codes = model.personalization_code(batch)
    assert codes["mlp"].codes.shape == (1, 3)
    assert by_example(codes["mmoe"]).shape == (BATCH, 3)


def test_a_column_is_one_raw_input():
    names = [column.name for column in raw_columns(rated_settings())]
    assert len(names) == len(set(names))
    assert not any(name.endswith("_bucket") for name in names)
    candidates = {c.name for c in raw_columns(rated_settings()) if c.candidate}
    rates = {name for name in candidates if "_like_" in name}
    assert rates == {
        f"{subject}_like_{what}"
        for subject in ("video", "user_x_author")
        for what in ("count", "rate")
    }


@pytest.fixture(scope="module")
def trained(rated_transform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rated")
    config = rated_settings(
        model={
            **rated_settings().model.model_dump(),
            "personalization_code": ["user_like_rate", "avc"],
            "module_codes": {"attention": ["video_like_rate"]},
            "input_codes": ["avc", "user_like_rate", "video_like_count"],
        }
    )
    arguments = run_arguments(rated_transform, folder, config)
    exports = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "export_model", lambda *given: exports.append(given))
        tf.config.run_functions_eagerly(True)  # few steps, which no graph is worth
        try:
            trainer.run_fn(arguments)
        finally:
            tf.config.run_functions_eagerly(False)
    [given] = exports
    export_model(*given)
    return tf.saved_model.load(str(folder / "serving")), config


@pytest.mark.e2e
def test_a_trained_model_ranks_as_it_scores(trained, rated_transform):
    loaded, config = trained
    columns = raw_columns(config.part(TrainerPart))
    rows = rated_rows()[::3]
    of_video = [column.name for column in columns if column.candidate]
    for user in (rows[2], rated_row(user_id="stranger")):
        tiled = [{**user, **{n: video.get(n) for n in of_video}} for video in rows]
        served = loaded.signatures["serving_default"](
            examples=tf.constant(rated_transform.examples(tiled))
        )
        ranked = loaded.signatures["rank"](**rank_inputs(columns, user, rows))
        np.testing.assert_allclose(ranked["scores"], stacked(served), **TOLERANCE)


@pytest.mark.e2e
def test_a_served_score_depends_on_the_rates_that_codes_are_of(
    trained, rated_transform
):
    loaded, _ = trained
    for column in ("user_like_rate", "video_like_rate", "video_like_count"):
        rows = [rated_row(**{column: value}) for value in (0, 1)]
        scores = stacked(
            loaded.signatures["serving_default"](
                examples=tf.constant(rated_transform.examples(rows))
            )
        )
        assert np.abs(scores[0] - scores[1]).min() > 1e-6, column
