import shutil
from types import SimpleNamespace

import pytest
import tensorflow as tf

from pipeline.training.output_folders import (
    OutputFolderError,
    check_folders,
    needed_bytes,
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


def test_two_checkpoints_and_the_model_are_needed():
    weights = [tf.Variable(tf.zeros([10, 3])), tf.Variable(tf.zeros([3]))]
    moments = [tf.Variable(0, dtype=tf.int64), *(tf.Variable(w) for w in weights * 2)]
    model = SimpleNamespace(
        variables=weights, optimizer=SimpleNamespace(weights=moments)
    )
    assert needed_bytes(model) == 2 * (132 + 8 + 264) + 132
