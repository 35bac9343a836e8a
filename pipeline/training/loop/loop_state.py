"""What a training has reached, beside weights: written into every checkpoint."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import tensorflow as tf


@dataclass
class LoopState:
    """How far a training has come.

    Attributes:
        epoch: The epoch that is running, from 0.
        step: Its batches that are done.
        finished: Whether there is nothing left to train.
        losses: The losses of the last step.
        history: What the logs held at each epoch's end, by name.
    """

    epoch: int = 0
    step: int = 0
    finished: bool = False
    losses: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"epoch {self.epoch + 1}, step {self.step}"


class SavedLoopState(tf.train.experimental.PythonState):
    """A `LoopState` as an object of a checkpoint.

    Args:
        state: Written as it is at the time, and filled where a checkpoint is read.
    """

    def __init__(self, state: LoopState):
        self.state = state

    def serialize(self) -> str:
        """The state as JSON; NaN, an undefined GAUC, is written as such."""
        return json.dumps(asdict(self.state))

    def deserialize(self, string_value: Any) -> None:
        """Fills the state."""
        for name, value in json.loads(string_value).items():
            setattr(self.state, name, value)
