"""Weights that one small model takes over from another, before the first step."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.config import TrainerPart
from pipeline.model.build import build_model
from pipeline.training.strategies.trained_weights import parts_by_name
from pipeline.training.warm_start.start import start_warm, take_weights
from pipeline.training.warm_start.weight_files import (
    WeightFiles,
    weights_folder,
    write_weights,
)
from tests.helpers.small_transform import SETTINGS, feature_row, settings_with

USER_CODE = {"model": {"personalization_code": ["user_id", "avc"]}}


class Vocabularies:
    """As `tft.TFTransformOutput`, with vocabularies as they are given."""

    def __init__(self, **tokens):
        self._tokens = tokens

    def vocabulary_by_name(self, table):
        return [token.encode() for token in self._tokens[table]]

    def vocabulary_size_by_name(self, table):
        return len(self._tokens[table])


BEFORE = Vocabularies(
    user_id=["u0", "u1", "u2"],
    video_id=["v0", "v1", "v2", "v3"],
    author_id=["a0", "a1"],
    video_tags=["t0", "t1"],
    country=["CN"],
    topics=["x", "y"],
)
AFTER = Vocabularies(
    user_id=["u9", "u2", "u0", "u8"],
    video_id=["v7", "v3", "v0"],
    author_id=["a1", "a0"],
    video_tags=["t0", "t1", "t2"],
    country=["US"],
    topics=["x", "y"],
)


@pytest.fixture(scope="module")
def batch(small_transform):
    """A row that every table has the ids of: all are missing."""
    return small_transform.apply(
        feature_row(user_id="", video_id="", event_time_ms=1_650_000_000_000)
    )


def untrained(config, vocabularies, batch, scope=None):
    part = config.part(TrainerPart)
    tf_keras.utils.set_random_seed(11)
    if scope is None:
        model = build_model(part, vocabularies)
        model(batch)
        return model
    with scope:
        model = build_model(part, vocabularies)
        model(batch)
    return model


def weights(model):
    return {
        name: variable.numpy()
        for name, [variable] in parts_by_name(model.trainable_variables).items()
    }


def earlier_model(config, batch, folder):
    """Writes a model of random weights; returns them."""
    model = untrained(config, BEFORE, batch)
    rng = np.random.default_rng(3)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    part = config.part(TrainerPart)
    write_weights(model.trainable_variables, part, BEFORE, str(folder))
    return weights(model)


def taken(config, earlier_config, batch, folder):
    """The earlier weights, the initial ones, those after, and what was said of it."""
    earlier = earlier_model(earlier_config, batch, folder)
    model = untrained(config, AFTER, batch)
    fresh = weights(model)
    files = WeightFiles(str(folder))
    done = take_weights(model, config.part(TrainerPart), AFTER, files)
    return earlier, fresh, weights(model), done


def test_known_ids_keep_their_rows_bit_for_bit_and_new_ones_are_initial(
    batch, tmp_path
):
    config = settings_with(**USER_CODE)
    earlier, fresh, found, done = taken(config, config, batch, tmp_path)
    assert done.fresh == []
    for name in ("embedding/user_id_table", "personalization_code/user_id_embedded"):
        old, new, now = (w[f"{name}/embeddings"] for w in (earlier, fresh, found))
        # Rows are padding, the vocabulary and one bucket; u9 u2 u0 u8 after u0 u1 u2.
        expected = [old[0], new[1], old[3], old[1], new[4], old[4]]
        np.testing.assert_array_equal(now, expected)
    videos = "embedding/video_id_table/embeddings"
    old, new, now = (w[videos] for w in (earlier, fresh, found))
    expected = [old[0], new[1], old[4], old[1], old[5], old[6]]  # two buckets
    np.testing.assert_array_equal(now, expected)
    assert done.known["user_id"] == (2, 4)
    assert done.known["video_id"] == (2, 3)
    assert "user_id 2 of 4, video_id 2 of 3" in str(done)


def test_all_other_weights_are_the_earlier_models(batch, tmp_path):
    config = settings_with(**USER_CODE)
    earlier, _, found, done = taken(config, config, batch, tmp_path)
    assert set(done.taken) == set(found) == set(earlier)
    same = {name for name in found if np.array_equal(found[name], earlier[name])}
    assert {name.split("/")[-2] for name in found.keys() - same} == {
        *("user_id_table", "user_id_embedded", "video_id_table", "author_id_table"),
        *("video_tags_table", "country_table"),
    }


def changed(**sections):
    """A model with some settings changed takes what fits from the small one's."""
    return settings_with(**sections), settings_with()


@pytest.mark.parametrize(
    ("configs", "fresh"),
    [
        (
            changed(model={"tower_units": [5]}),
            r"_tower/dense_0/(kernel|bias|gate/gates)|_logit/kernel",
        ),
        (changed(model={"embedding_dim": 3}), None),
        (
            changed(transform={"count_boundaries": [*range(1, 11)]}),
            r"/video_impressions_table/",
        ),
        (
            changed(transform={"gap_hours_boundaries": [*range(1, 10)]}),
            r"history_gap_ms_table/",
        ),
        (
            changed(transform={"vocabularies": {"user_id": {"hash_buckets": 5}}}),
            r"/user_id_table/",
        ),
        (changed(tasks={"like": None} | SETTINGS["tasks"]), r"$^"),
    ],
)
def test_what_does_not_fit_stays_initial_and_is_named(configs, fresh, batch, tmp_path):
    _, initial, found, done = taken(*configs, batch, tmp_path)
    for name in done.fresh:
        np.testing.assert_array_equal(found[name], initial[name])
    if fresh is None:  # a width that most weights have something of
        assert any("table/embeddings" in name for name in done.fresh)
        assert "embedding/avc_table/embeddings" in done.taken
        return
    expected = {name for name in found if re.search(fresh, name)}
    assert set(done.fresh) == expected
    if expected:
        assert f"so fresh: {done.fresh[0]}" in str(done)


def test_buckets_of_unknown_ids_that_are_more_now_are_initial(batch, tmp_path):
    vocabularies = {"video_id": {"oov_buckets": 3}}
    configs = changed(transform={"vocabularies": vocabularies})
    earlier, initial, found, done = taken(*configs, batch, tmp_path)
    videos = "embedding/video_id_table/embeddings"
    assert videos in done.taken
    np.testing.assert_array_equal(found[videos][-3:], initial[videos][-3:])
    np.testing.assert_array_equal(found[videos][2], earlier[videos][4])


def test_hashed_ids_keep_their_rows_where_there_are_as_many(batch, tmp_path):
    def hashed(buckets):
        vocabularies = {"user_id": {"hash_buckets": buckets}}
        return settings_with(transform={"vocabularies": vocabularies})

    name = "embedding/user_id_table/embeddings"
    earlier, _, found, done = taken(hashed(6), hashed(6), batch, tmp_path / "6")
    np.testing.assert_array_equal(found[name], earlier[name])
    assert "user_id" not in done.known
    _, _, _, done = taken(hashed(6), hashed(7), batch, tmp_path / "7")
    assert done.fresh == [name]


def test_a_model_of_other_inputs_gives_its_tables_alone(batch, tmp_path):
    """Its dense weights would read other numbers, also where their shapes are alike."""
    extra = SETTINGS["features"]["extra"]
    numeric = {**extra[1], "name": "volume"}
    other = settings_with(features={"extra": [extra[0], numeric, *extra[2:]]})
    batch = {**batch, "volume": batch["loudness"]}
    earlier, initial, found, done = taken(settings_with(), other, batch, tmp_path)
    assert {name.split("/")[-2].rsplit("_", 1)[1] for name in done.taken} == {"table"}
    assert len(done.taken) == sum("_table/" in name for name in found)
    kernel = "mmoe/expert_kernel_0"
    assert earlier[kernel].shape == found[kernel].shape
    np.testing.assert_array_equal(found[kernel], initial[kernel])


@pytest.mark.parametrize("on", [False, True])
def test_matches_with_histories_are_inputs(on, batch, tmp_path):
    configs = [
        settings_with(model={**SETTINGS["model"], "history_matches": m})
        for m in (on, not on)
    ]
    _, _, found, done = taken(*configs, batch, tmp_path)
    assert {name for name in found if "_table/" in name} == set(done.taken)
    *_, done = taken(configs[0], configs[0], batch, tmp_path / "alike")
    assert done.fresh == []


def test_replicas_have_the_same_rows(batch, tmp_path):
    config = settings_with()
    earlier_model(config, batch, tmp_path)
    alone = untrained(config, AFTER, batch)
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    mirrored = untrained(config, AFTER, batch, strategy.scope())
    pairs = list(
        zip(mirrored.trainable_variables, alone.trainable_variables, strict=True)
    )
    for ours, own in pairs:
        ours.assign(own)
    for model in (alone, mirrored):
        files = WeightFiles(str(tmp_path))
        part = config.part(TrainerPart)
        assert take_weights(model, part, AFTER, files).fresh == []
    for ours, own in pairs:
        [copy] = strategy.experimental_local_results(ours)
        np.testing.assert_array_equal(copy, own)


def test_tables_that_are_split_over_servers_are_filled_by_parts(batch, tmp_path):
    config = settings_with()
    earlier_model(config, batch, tmp_path)
    part = config.part(TrainerPart)
    whole = untrained(config, AFTER, batch)
    split = []
    for variable in whole.trainable_variables:
        name, rows = variable.name.split(":")[0], variable.numpy()
        if not name.endswith("_table/embeddings"):
            split.append(tf.Variable(rows, name=name))
            continue
        for number, some in enumerate((rows[:2], rows[2:])):
            split.append(tf.Variable(some, name=f"{name}/part_{number}"))
    for model in (whole, SimpleNamespace(trainable_variables=split)):
        assert take_weights(model, part, AFTER, WeightFiles(str(tmp_path))).fresh == []
    joined = {
        name: np.concatenate(parts) if len(parts) > 1 else parts[0].numpy()
        for name, parts in parts_by_name(split).items()
    }
    for name, array in weights(whole).items():
        np.testing.assert_array_equal(joined[name], array)


def test_without_an_earlier_model_or_its_weights_it_is_said(batch, tmp_path):
    config = settings_with()
    model = untrained(config, AFTER, batch)
    before = weights(model)
    part = config.part(TrainerPart)
    said = start_warm(model, part, AFTER, None)
    assert said == "starts fresh, there is no blessed model of earlier examples"
    said = start_warm(model, part, AFTER, str(tmp_path / "Format-Serving"))
    assert said.startswith("starts fresh, the earlier model is of an earlier release")
    for name, array in weights(model).items():
        np.testing.assert_array_equal(array, before[name])


def test_weights_lie_beside_the_model_and_not_in_it():
    for folder in ("gs://b/model/7/Format-Serving", "gs://b/model/7/Format-Serving/"):
        assert weights_folder(folder) == "gs://b/model/7/weights"
