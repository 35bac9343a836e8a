"""Checkpoints of a training: all that a run needs to go on as if never stopped."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable

import tensorflow as tf
import tf_keras

from pipeline.model.ranking_model import RankingModel
from pipeline.progress import report_progress
from pipeline.training.loop.loop_state import LoopState, SavedLoopState

# A damaged file: TensorFlow's own errors, and those its reader translates them to; a
# file of another model: the rest.
_UNREADABLE = (
    tf.errors.OpError,
    LookupError,
    RuntimeError,
    ValueError,
    AssertionError,
)


class CheckpointError(OSError):
    """A checkpoint is there and cannot be read."""


class Checkpoints:
    """The latest checkpoint of one training, in a folder of its own.

    It holds weights, the optimizer, the metrics so far, the random generators of
    dropout, the history and the place in the data. Files are written under another
    name first: a process that is killed while writing leaves the checkpoint before.

    Args:
        folder: Path or URI; of this training alone.
        model: Compiled, its weights made.
        state: Goes into every checkpoint, and is filled by `restore`.
        minutes: Between two checkpoints of `save_if_due`.
        writes: Whether this process writes it. Of several workers one does, but all
            must save, since some of the state is added up over them.
        clock: Seconds, for the tests.
    """

    def __init__(
        self,
        folder: str,
        model: RankingModel,
        state: LoopState,
        *,
        minutes: float,
        writes: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._folder = folder
        self._state = state
        self._seconds = 60 * minutes
        self._clock = clock
        self._last = clock()
        self._checkpoint = tf.train.Checkpoint(
            model=model,
            random=_generators(model),
            state=SavedLoopState(state),
        )
        self._unread = None if writes else tempfile.TemporaryDirectory()
        self._manager = tf.train.CheckpointManager(
            self._checkpoint,
            self._unread.name if self._unread else folder,
            max_to_keep=1,
            checkpoint_name="training",
        )

    def restore(self) -> bool:
        """Goes back to the latest checkpoint; False if there is none.

        Raises:
            CheckpointError: It cannot be read, or is of another model.
        """
        path = tf.train.latest_checkpoint(self._folder)
        if path is None:
            return False
        try:
            status = self._checkpoint.restore(path)
            status.assert_existing_objects_matched()
        except _UNREADABLE as error:
            raise CheckpointError(
                f"the checkpoint {path} cannot be read: remove its folder to train "
                f"from the start. {_first_line(error)}"
            ) from error
        return True

    @property
    def due(self) -> bool:
        """Whether the latest is older than it should become."""
        return self._clock() - self._last >= self._seconds

    def save(self) -> bool:
        """Writes a checkpoint; False where it could not, which is said in a line.

        A training goes on without: it is worth more than its checkpoint.
        """
        self._last = self._clock()
        try:
            self._manager.save()
        except (tf.errors.OpError, OSError) as error:
            report_progress(
                f"no checkpoint at {self._state}, the training goes on: "
                f"{_first_line(error)}"
            )
            return False
        return True

    def remove(self) -> None:
        """Removes the folder: nothing is left to go on from."""
        if tf.io.gfile.exists(self._folder):
            tf.io.gfile.rmtree(self._folder)


def _generators(model: RankingModel) -> list[object]:
    """Keras leaves its layers' random generators out of a model's checkpoint."""
    return [
        layer._random_generator
        for layer in model.submodules
        if isinstance(layer, tf_keras.__internal__.layers.BaseRandomLayer)
    ]


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
