"""A coordinator, two workers and two servers; one worker is killed on the way."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.small_transform import (
    HOUR_MS,
    SmallTransform,
    feature_row,
    settings_with,
    transform_rows,
)
from tests.helpers.trainings import counted_members, history_of, kill_member

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ROWS, EPOCHS = 1200, 4
TRAINING = {"batch_size": 32, "epochs": EPOCHS, "learning_rate": 0.01}
# Small tables are split, too, as large ones are.
SERVERS = {
    "kind": "parameter_server",
    "local_workers": 2,
    "local_servers": 2,
    "min_shard_bytes": 64,
}


def learnable_rows():
    """Users who watch some videos to the end more than others, and all like those."""
    random = np.random.default_rng(5)
    good = random.normal(size=20)
    rows = []
    for i in range(ROWS):
        user, video = int(random.integers(30)), int(random.integers(20))
        long_view = random.random() < 1 / (1 + np.exp(-2 * good[video]))
        rows.append(
            feature_row(
                user_id=f"u{user}",
                video_id=f"v{video}",
                author_id=f"a{video % 3}",
                event_time_ms=1_650_000_000_000 + i * HOUR_MS,
                video_impressions=i,
                avc=i // 30,
                active_days_7=i % 8,
                country="CN",
                loudness=float(i),
                topics=["x"],
                battery=1.0,
                long_view=int(long_view),
                like=int(long_view and random.random() < 0.5),
            )
        )
    return rows


@pytest.fixture(scope="module")
def learnable(made_once):
    config = settings_with()
    folder = made_once(
        "learnable", lambda folder: transform_rows(config, learnable_rows(), folder)
    )
    return SmallTransform(config, folder)


@pytest.fixture(scope="module")
def with_a_lost_worker(learnable, tmp_path_factory):
    """The history, the lines of progress, who took what, and the folder."""
    folder = tmp_path_factory.mktemp("servers")
    with pytest.MonkeyPatch.context() as patch:
        lines = kill_member(
            patch,
            "worker 1",
            lambda line: f"epoch 2/{EPOCHS}" in line and "GAUC" in line,
        )
        with counted_members(patch, folder) as seen:
            history = history_of(learnable, folder, TRAINING, **SERVERS)
    return history, lines, seen("chief-0"), folder


def test_the_training_goes_on_without_a_killed_worker(with_a_lost_worker):
    history, lines, _, _ = with_a_lost_worker
    assert (
        "worker 1 was killed by signal 9; the training goes on with 1 worker" in lines
    )
    assert len(history["mean_loss"]) == EPOCHS


def test_every_example_is_taken_in_every_epoch(with_a_lost_worker):
    taken = len(with_a_lost_worker[2])
    # What the killed worker had in hand may have been taken twice.
    assert ROWS * EPOCHS <= taken <= ROWS * EPOCHS + 2 * TRAINING["batch_size"]


@pytest.fixture(scope="module")
def alone(learnable, tmp_path_factory):
    """The history and the folder of one device."""
    folder = tmp_path_factory.mktemp("alone")
    return history_of(learnable, folder, TRAINING, kind="none"), folder


def test_it_reaches_the_gauc_of_one_device(with_a_lost_worker, alone):
    expected = alone[0]["val_long_view_gauc"][-1]
    assert expected > 0.7  # there is something to learn
    reached = with_a_lost_worker[0]["val_long_view_gauc"][-1]
    assert reached == pytest.approx(expected, abs=0.03)


def test_the_exported_tables_are_whole(with_a_lost_worker, alone):
    shapes = [
        Counter(
            tuple(shape)
            for _, shape in tf.train.list_variables(
                str(folder / "serving" / "variables" / "variables")
            )
        )
        for folder in (with_a_lost_worker[3], alone[1])
    ]
    assert shapes[0]
    assert shapes[0] == shapes[1]


def test_no_checkpoint_is_left(with_a_lost_worker):
    folder = with_a_lost_worker[3]
    assert [p for p in (folder / "checkpoints").rglob("*") if p.is_file()] == []
