"""Whether a training can write what it will have to write: known before it starts."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence

import tensorflow as tf

from pipeline.model.ranking_model import RankingModel
from pipeline.training.optimizers.build import composite_optimizer

_MEGABYTE = 1e6


class OutputFolderError(OSError):
    """A folder cannot be written to, or its disk is too full."""


def check_folders(folders: Sequence[str], needed_bytes: int) -> None:
    """Writes and removes a small file in each folder and compares the free space.

    Args:
        folders: Paths or URIs; made where there are none.
        needed_bytes: What will be written on their disk, all of them together.

    Raises:
        OutputFolderError: A folder cannot be written to, or its disk is too full.
    """
    for folder in folders:
        probe = os.path.join(folder, f".probe-{uuid.uuid4().hex}")
        try:
            tf.io.gfile.makedirs(folder)
            with tf.io.gfile.GFile(probe, "w") as file:
                file.write("a training can write here")
            tf.io.gfile.remove(probe)
        except (tf.errors.OpError, OSError) as error:
            reason = str(error).strip().split("\n", 1)[0]
            raise OutputFolderError(
                f"training cannot write to {folder}: {reason}"
            ) from error
        if not os.path.isdir(folder):
            continue  # an object store does not say
        free = shutil.disk_usage(folder).free
        if free < needed_bytes:
            raise OutputFolderError(
                f"training will write about {needed_bytes / _MEGABYTE:,.0f} MB below "
                f"{folder}, and its disk has {free / _MEGABYTE:,.0f} MB left: free "
                "space, or choose another folder"
            )


def bytes_to_write(
    model: RankingModel, checkpoint_dir: str, *, keeps_best: bool, finished: bool
) -> int:
    """What a training will still write at most, at one time.

    These are two checkpoints (the one before is removed once the new one is written),
    likewise the best weights, the exported model, and the weights beside it; less what
    lies there from before a restart, since the disk has that much less free.

    Args:
        model: Its weights and its optimizer's made.
        checkpoint_dir: Where the checkpoints and the best weights lie; of a local one
            the files are counted.
        keeps_best: Whether the best epoch's weights are written, too.
        finished: Whether the model is to be exported and nothing else.
    """
    weights = sum(map(_bytes, model.variables))
    exported = 2 * weights
    if finished:
        return exported
    optimizer = sum(map(_bytes, composite_optimizer(model).weights))
    best = sum(map(_bytes, model.trainable_variables)) if keeps_best else 0
    in_all = 2 * (weights + optimizer) + 2 * best + exported
    return max(in_all - _bytes_in(checkpoint_dir), exported)


def _bytes_in(folder: str) -> int:
    """Of the files directly in a local folder."""
    if not os.path.isdir(folder):
        return 0
    with os.scandir(folder) as entries:
        return sum(entry.stat().st_size for entry in entries if entry.is_file())


def _bytes(variable: tf.Variable) -> int:
    return int(variable.shape.num_elements()) * variable.dtype.size
