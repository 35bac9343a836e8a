"""A callback that logs the GAUC of a validation set after each epoch."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from poso_keras._backend import keras
from poso_keras._shapes import check_choice
from poso_keras.grouped_auc import WEIGHTINGS, gauc


class GAUC(keras.callbacks.Callback):
    """Logs the exact GAUC of a validation set at the end of each epoch.

    GAUC does not add up over batches, so it is computed on the predictions of the
    whole set. Put it before callbacks that read it, such as `EarlyStopping(
    "val_gauc", mode="max")`.

    Args:
        inputs: the model's inputs, whatever `model.predict` takes: arrays, a mapping
            of arrays, or a data set that is not shuffled.
        labels: [n], or for a model with several outputs a mapping or sequence of
            them, as its outputs are.
        user_ids: [n].
        weighting: see `gauc`.
        batch_size: batch size of the predictions; None for a data set.
        name: the entry in the logs. With several outputs `val_gauc` becomes
            `val_<output>_gauc` (an index where the outputs are a sequence).

    Example:
        >>> import numpy as np
        >>> x, y = np.random.rand(8, 3), np.array([0, 1] * 4)
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> watch = GAUC(x, y, user_ids=np.repeat([1, 2], 4))
        >>> sorted(model.fit(x, y, callbacks=[watch], verbose=0).history)
        ['loss', 'val_gauc']
    """

    def __init__(
        self,
        inputs: Any,
        labels: Any,
        user_ids: Any,
        weighting: str = "impressions",
        batch_size: int | None = None,
        name: str = "val_gauc",
    ) -> None:
        super().__init__()
        self.inputs = inputs
        self.labels = labels
        self.user_ids = user_ids
        self.weighting = check_choice("weighting", weighting, WEIGHTINGS)
        self.batch_size = batch_size
        self.name = name

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the GAUC of each output to the logs."""
        if logs is not None:
            logs.update(self.evaluate())

    def evaluate(self) -> dict[str, float]:
        """Returns the GAUC of each output of the model, by its name in the logs."""
        scores = _by_output(
            self.model.predict(self.inputs, batch_size=self.batch_size, verbose=0)
        )
        labels = _by_output(self.labels)
        if set(scores) != set(labels):
            raise ValueError(
                f"`labels` must name the model's outputs {sorted(scores)}. "
                f"Received: {sorted(labels)}"
            )
        return {
            self._log_name(output): gauc(
                labels[output], scores[output], self.user_ids, self.weighting
            ).value
            for output in scores
        }

    def _log_name(self, output: str) -> str:
        if not output:
            return self.name
        if self.name.startswith("val_"):
            return f"val_{output}_{self.name.removeprefix('val_')}"
        return f"{output}_{self.name}"


def _by_output(values: Any) -> dict[str, Any]:
    """Maps output names to arrays; a single output has the empty name."""
    if isinstance(values, Mapping):
        return dict(values)
    several = isinstance(values, list | tuple) and np.ndim(values[0]) > 0
    if several:
        return {str(index): value for index, value in enumerate(values)}
    return {"": values}
