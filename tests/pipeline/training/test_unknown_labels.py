"""Labels that are unknown, from the feature table to the history of a training."""

import json

import numpy as np
import pytest

from pipeline.training import trainer
from pipeline.training.findings.run_files import HISTORY_FILE
from pipeline.training.input.batches import read_batches
from pipeline.training.watching import epoch_report
from poso_keras import gauc
from tests.helpers.small_transform import (
    SETTINGS,
    SmallTransform,
    analyzed_rows,
    settings_with,
    transform_rows,
)
from tests.helpers.training_arguments import run_arguments

pytestmark = pytest.mark.e2e

LABELS = {
    "long_view": {"rule": "long_view", "missing": "mask"},
    "like": {"column": "is_like", "missing": "mask"},
}


def rows():
    """No long view is known at all, and every third like is not."""
    known = [{**row, "long_view": None} for row in analyzed_rows()]
    return [
        {**row, "like": None, "is_like": None} if i % 3 == 1 else row
        for i, row in enumerate(known)
    ]


@pytest.fixture(scope="module")
def masked(made_once):
    config = settings_with(
        features={**SETTINGS["features"], "labels": LABELS},
        training={"batch_size": 7, "learning_rate": 0.02, "epochs": 2},
    )
    folder = made_once(
        "masked_transform", lambda folder: transform_rows(config, rows(), folder)
    )
    return SmallTransform(config, folder)


def batches(masked):
    return list(read_batches(masked.train_files, masked.output, 7))


def test_an_unknown_label_is_minus_one_behind_the_transform(masked):
    out = masked.apply(*rows())
    assert set(out["long_view"].numpy().tolist()) == {-1.0}
    likes = [-1.0 if row["like"] is None else row["like"] for row in rows()]
    assert out["like"].numpy().tolist() == likes
    written = np.concatenate([batch["like"] for batch in batches(masked)])
    assert sorted(written.tolist()) == sorted(likes)


def test_a_training_is_of_the_known_labels_alone(masked, tmp_path, monkeypatch):
    lines, models = [], []
    monkeypatch.setattr(epoch_report, "report_progress", lines.append)
    monkeypatch.setattr(
        trainer, "export_model", lambda model, *rest: models.append(model)
    )
    trainer.run_fn(run_arguments(masked, tmp_path))
    history = json.loads((tmp_path / "run" / HISTORY_FILE).read_text())
    [model] = models
    scores, labels, users = (
        np.concatenate(parts)
        for parts in zip(
            *(
                (model.probabilities(b)["like"], b["like"], b["user_key"])
                for b in batches(masked)
            ),
            strict=True,
        )
    )
    known = labels >= 0
    expected = gauc(labels[known], scores[known], users[known]).value
    assert history["val_like_gauc"][-1] == pytest.approx(expected, abs=1e-6)
    p = scores[known].astype(np.float64)
    entropy = -np.mean(np.where(labels[known] == 1, np.log(p), np.log(1 - p)))
    assert history["val_mean_loss"][-1] == pytest.approx(0.5 * entropy, rel=1e-4)
    assert all(
        "GAUC long_view undefined (no user has both labels), like " in line
        for line in lines
    )
    assert "nan" not in "".join(lines)
    for name in ("mean_loss", "val_mean_loss", "loss"):
        assert np.isfinite(history[name]).all()
