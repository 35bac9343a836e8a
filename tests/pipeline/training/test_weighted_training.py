"""Sample weights, schedule, early stopping and logs, from the table to the model."""

import json

import numpy as np
import pytest
import tensorflow as tf

from pipeline.training import trainer
from pipeline.training.findings.run_files import HISTORY_FILE
from pipeline.training.input.batches import read_batches
from poso_keras import gauc
from preprocessing.contract.column_names import USER_GROUPS
from tests.helpers.small_transform import (
    SETTINGS,
    SmallTransform,
    analyzed_rows,
    settings_with,
    transform_rows,
)
from tests.helpers.training_arguments import run_arguments

pytestmark = pytest.mark.e2e

EXTRA = [
    *SETTINGS["features"]["extra"],
    {"name": "worth", "entity": "context", "type": "numeric", "input": False},
]


def rows():
    """Every third row without a worth, one whose worth is not a number."""
    worths = [None if i % 3 == 1 else i / 4 for i in range(len(analyzed_rows()))]
    worths[3] = float("nan")
    return [
        {**row, "worth": worth}
        for row, worth in zip(analyzed_rows(), worths, strict=True)
    ]


@pytest.fixture(scope="module")
def weighted(made_once):
    config = settings_with(
        features={**SETTINGS["features"], "extra": EXTRA},
        training={
            "batch_size": 7,
            "learning_rate": 0.05,
            "epochs": 4,
            "sample_weights": {"by_group": {"new": 10}, "column": "worth"},
            "schedule": {"warmup_steps": 2, "decay": "cosine"},
            "early_stopping": {"task": "like", "group": "regular", "patience": 1},
            "tensorboard": {"every_steps": 1},
        },
    )
    folder = made_once(
        "weighted_transform", lambda folder: transform_rows(config, rows(), folder)
    )
    return SmallTransform(config, folder)


@pytest.fixture(scope="module")
def trained(weighted, tmp_path_factory):
    folder = tmp_path_factory.mktemp("weighted")
    models = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            trainer, "export_model", lambda model, *rest: models.append(model)
        )
        trainer.run_fn(run_arguments(weighted, folder))
    history = json.loads((folder / "run" / HISTORY_FILE).read_text())
    return folder, models[0], history


def columns(weighted, model):
    batches = list(read_batches(weighted.train_files, weighted.output, 7))
    scores = [model.probabilities(batch) for batch in batches]
    names = ("like", "long_view", "user_key", "user_group", "sample_weight")
    found = {n: np.concatenate([batch[n] for batch in batches]) for n in names}
    for task in ("like", "long_view"):
        found[f"{task} score"] = np.concatenate([score[task] for score in scores])
    return found


def test_a_row_without_a_worth_weighs_1(weighted):
    result = weighted.apply(*rows())["sample_weight"].numpy()
    worths = [row["worth"] for row in rows()]
    expected = [1.0 if w is None or np.isnan(w) else w for w in worths]
    np.testing.assert_allclose(result, expected)


def test_a_column_of_weights_is_no_input_of_the_model(weighted):
    # Not even its name gets into the graph that a server runs.
    assert "worth" not in weighted.apply(*rows())


def test_the_model_is_that_of_the_best_epoch_of_the_slice(weighted, trained):
    _, model, history = trained
    found = columns(weighted, model)
    regular = found["user_group"] == 1 + USER_GROUPS.index("regular")
    arrays = (found["like"], found["like score"], found["user_key"])
    expected = gauc(*(array[regular] for array in arrays)).value
    logged = history["val_like_gauc_regular"]
    assert max(logged) == pytest.approx(expected, abs=1e-6)
    stopped = next(
        (i for i, value in enumerate(logged) if i and value <= max(logged[:i])), 3
    )
    assert len(logged) == stopped + 1


def test_the_evaluation_loss_weighs_as_the_training_does(weighted, trained):
    _, model, history = trained
    found = columns(weighted, model)
    weights = found["sample_weight"].astype(np.float64)
    weights = weights * np.where(found["user_group"] == 1, 10, 1)
    best = int(np.argmax(history["val_like_gauc_regular"]))
    total = 0.0
    for task, weight in (("long_view", 1.0), ("like", 0.5)):
        p = found[f"{task} score"].astype(np.float64)
        losses = -np.where(found[task] == 1, np.log(p), np.log(1 - p))
        mean = np.average(losses, weights=weights)
        logged = history[f"val_{task}_cross_entropy"][best]
        assert logged == pytest.approx(mean, rel=1e-4)
        total += weight * mean
    assert history["val_mean_loss"][best] == pytest.approx(total, rel=1e-4)


def test_the_curves_lie_in_the_run_folder(trained):
    folder, model, _ = trained
    [path] = (folder / "run" / "tensorboard" / "train").glob("events.*")
    rates = {"learning_rate/adam": [], "learning_rate/lazyadam": []}
    for event in tf.compat.v1.train.summary_iterator(str(path)):
        for value in event.summary.value:
            if value.tag.startswith("learning_rate/"):
                rates[value.tag].append(float(tf.make_ndarray(value.tensor)))
    # 25 examples in batches of 7, over at most 4 epochs: 2 steps up, 14 down.
    expected = [0.025, 0.05]
    expected += [0.05 * (1 + np.cos(np.pi * step / 14)) / 2 for step in range(14)]
    steps = int(model.optimizer.iterations)
    for found in rates.values():
        np.testing.assert_allclose(found, expected[:steps], rtol=1e-4)


def test_nothing_is_left_to_go_on_from(trained):
    left = [path for path in (trained[0] / "checkpoints").rglob("*") if path.is_file()]
    assert left == []
