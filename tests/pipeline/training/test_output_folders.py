import shutil
from types import SimpleNamespace

import pytest
import tensorflow as tf

from pipeline.training.output_folders import (
    OutputFolderError,
    bytes_to_write,
    check_folders,
)


def test_folders_are_made_and_left_empty(tmp_path):
    folders = [str(tmp_path / "a" / "b"), str(tmp_path / "c")]
    check_folders(folders, 1)
    assert [list(tmp_path.joinpath(*p).iterdir()) for p in (("a", "b"), ("c",))] == [
        [],
        [],
    ]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    folder = str(tmp_path / "file" / "below")
    with pytest.raises(OutputFolderError, match=f"cannot write to {folder}: "):
        check_folders([folder], 1)


def test_a_disk_that_is_too_full_is_said_in_numbers(tmp_path, monkeypatch):
    free = 5_000_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    check_folders([str(tmp_path)], free)
    with pytest.raises(OutputFolderError, match=r"about 12 MB .* has 5 MB left"):
        check_folders([str(tmp_path)], 12_000_000)


@pytest.fixture
def model():
    """Of 132 bytes of weights, of which 120 are trained, and 272 of an optimizer."""
    weights = [tf.Variable(tf.zeros([10, 3])), tf.Variable(tf.zeros([3]))]
    moments = [tf.Variable(0, dtype=tf.int64), *(tf.Variable(w) for w in weights * 2)]
    return SimpleNamespace(
        variables=weights,
        trainable_variables=weights[:1],
        optimizer=SimpleNamespace(weights=moments),
    )


@pytest.mark.parametrize(("keeps_best", "best"), [(False, 0), (True, 2 * 120)])
def test_two_checkpoints_the_model_and_its_weights_are_needed(
    model, tmp_path, keeps_best, best
):
    needed = bytes_to_write(
        model, str(tmp_path / "none"), keeps_best=keeps_best, finished=False
    )
    assert needed == 2 * (132 + 272) + best + 2 * 132


def test_what_lies_there_after_a_restart_needs_no_space_again(model, tmp_path):
    def needed(finished=False):
        folder = str(tmp_path)
        return bytes_to_write(model, folder, keeps_best=False, finished=finished)

    at_first = needed()
    (tmp_path / "training-3.data-00000-of-00001").write_bytes(b"\0" * 404)
    (tmp_path / "training-3.index").write_bytes(b"\0" * 50)
    (tmp_path / "tensorboard").mkdir()
    (tmp_path / "tensorboard" / "events").write_bytes(b"\0" * 300)
    assert needed() == at_first - 454
    assert needed(finished=True) == 2 * 132
    (tmp_path / "left.data").write_bytes(b"\0" * 5000)
    assert needed() == 2 * 132
