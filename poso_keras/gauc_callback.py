"""A callback that logs the GAUC of a validation set after each epoch."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from math import nan
from typing import Any

import numpy as np
import numpy.typing as npt

from poso_keras._backend import Callback, keras
from poso_keras._shapes import check_choice
from poso_keras.gauc import WEIGHTINGS, check_unknown_label, gauc

_Arrays = dict[str, npt.NDArray[Any]]


class GAUC(Callback):
    """Logs the exact GAUC of the validation data at the end of each epoch.

    GAUC does not add up over batches, so it is computed on the predictions of the
    whole set. Put it before callbacks that read it, such as `EarlyStopping(
    "val_gauc", mode="max")`.

    Args:
        validation_data: what `fit(validation_data=...)` takes: a tuple `(x, y)` or
            `(x, y, sample_weight)` of arrays (or mappings of arrays), or batches of
            such tuples: a `tf.data.Dataset`, a `PyDataset`, a PyTorch `DataLoader`.
            Sample weights are not used.
        user_ids: [n], in the order of the data; or the name of the input that holds
            them, where x is a mapping. By name also shuffled data sets will do.
        weighting: see `gauc`.
        batch_size: batch size of the predictions on arrays.
        steps: number of batches to take of an endless data set, as `fit`'s
            `validation_steps`.
        name: the entry in the logs. With several outputs `val_gauc` becomes
            `val_<output>_gauc` (an index where the outputs are a sequence).
        unknown_label: see `gauc`; an output all of whose labels are unknown logs nan.
        groups: the group of each impression, given as `user_ids` are. Each group's
            impressions have a GAUC of their own in the logs: `val_gauc_<group>`.
        group_names: the groups to log, as a mapping from their values in `groups` to
            their names; a group without impressions logs nan.

    Raises:
        ValueError: if `weighting` or `unknown_label` cannot be used, or one of `groups`
            and `group_names` is given without the other; at the end of an epoch, if the
            labels do not match the model's outputs or `gauc` refuses the labels, scores
            or user ids.

    Examples:
        >>> import numpy as np
        >>> x, y = np.random.rand(8, 3), np.array([0, 1] * 4)
        >>> model = keras.Sequential([keras.layers.Dense(1)])
        >>> model.compile(loss="mse")
        >>> watch = GAUC((x, y), user_ids=np.repeat([1, 2], 4))
        >>> sorted(model.fit(x, y, callbacks=[watch], verbose=0).history)
        ['loss', 'val_gauc']
    """

    def __init__(
        self,
        validation_data: Any,
        user_ids: Any,
        weighting: str = "impressions",
        batch_size: int | None = None,
        steps: int | None = None,
        name: str = "val_gauc",
        unknown_label: float | None = None,
        groups: Any = None,
        group_names: Mapping[Any, str] | None = None,
    ) -> None:
        super().__init__()
        self.validation_data = validation_data
        self.user_ids = user_ids
        self.weighting = check_choice("weighting", weighting, WEIGHTINGS)
        self.batch_size = batch_size
        self.steps = steps
        self.name = name
        check_unknown_label(unknown_label)
        self.unknown_label = unknown_label
        if (groups is None) != (group_names is None):
            raise ValueError(
                "`groups` and `group_names` must be given together. Received: "
                f"groups={groups!r}, group_names={group_names!r}"
            )
        self.groups = groups
        self.group_names = dict(group_names or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Adds the GAUC of each output to the logs."""
        if logs is not None:
            logs.update(self.evaluate())

    def evaluate(self) -> dict[str, float]:
        """Returns the GAUC of each output of the model, by its name in the logs."""
        scores, labels, columns = self._predict()
        if set(scores) != set(labels):
            raise ValueError(
                f"the labels must name the model's outputs {sorted(scores)}. "
                f"Received: {sorted(labels)}"
            )
        values: dict[str, float] = {}
        for output in scores:
            name = self._log_name(output)
            arrays = {
                "labels": labels[output],
                "scores": scores[output],
                "user_ids": columns["user_ids"],
            }
            values[name] = self._gauc(arrays)
            for value, group in self.group_names.items():
                rows = columns["groups"].reshape(-1) == value
                of_group = {key: array[rows] for key, array in arrays.items()}
                values[f"{name}_{group}"] = self._gauc(of_group) if rows.any() else nan
        return values

    def _gauc(self, arrays: _Arrays) -> float:
        return gauc(
            **arrays, weighting=self.weighting, unknown_label=self.unknown_label
        ).value

    def _predict(self) -> tuple[_Arrays, _Arrays, _Arrays]:
        """Returns scores and labels by output, and user ids and groups, of the set."""
        if isinstance(self.validation_data, tuple):
            x, y, _ = keras.utils.unpack_x_y_sample_weight(self.validation_data)
            scores = self.model.predict(x, batch_size=self.batch_size, verbose=0)
            return _by_output(scores), _by_output(y), self._columns(x)
        # Of a batch's inputs only these are kept: a data set may not fit in memory.
        parts = [
            (
                _by_output(self.model.predict_on_batch(x)),
                _by_output(y),
                self._columns(x, by_name=True),
            )
            for x, y, _ in map(
                keras.utils.unpack_x_y_sample_weight,
                itertools.islice(_batches(self.validation_data), self.steps),
            )
        ]
        if not parts:
            raise ValueError(
                "`validation_data` must hold at least one batch. Received: 0"
            )
        scores_of, labels_of, columns_of = zip(*parts, strict=True)
        columns = {**self._columns(None, by_name=False), **_concatenate(columns_of)}
        return _concatenate(scores_of), _concatenate(labels_of), columns

    def _columns(self, x: Any, by_name: bool | None = None) -> _Arrays:
        """Returns user ids and groups: those given by name, as they are, or both."""
        given = {"user_ids": self.user_ids, "groups": self.groups}
        return {
            name: _column(name, value, x)
            for name, value in given.items()
            if value is not None and by_name in (None, isinstance(value, str))
        }

    def _log_name(self, output: str) -> str:
        if not output:
            return self.name
        if self.name.startswith("val_"):
            return f"val_{output}_{self.name.removeprefix('val_')}"
        return f"{output}_{self.name}"


def _column(name: str, value: Any, x: Any) -> npt.NDArray[Any]:
    """Returns an argument that is an array, or names an input."""
    if not isinstance(value, str):
        return np.asarray(value)
    if not isinstance(x, Mapping) or value not in x:
        received = sorted(x) if isinstance(x, Mapping) else type(x).__name__
        raise ValueError(
            f"`{name}` must name an input of the validation data. Received: "
            f"{value!r} with the inputs {received}"
        )
    return np.asarray(x[value])


def _batches(data: Any) -> Iterator[Any]:
    """Iterates over a data set once; Keras' own know their length and batches."""
    if hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        return (data[index] for index in range(len(data)))
    return iter(data)


def _by_output(values: Any) -> _Arrays:
    """Maps output names to arrays; a single output has the empty name."""
    if isinstance(values, Mapping):
        return {name: np.asarray(value) for name, value in values.items()}
    several = isinstance(values, list | tuple) and np.ndim(values[0]) > 0
    if several:
        return {str(index): np.asarray(value) for index, value in enumerate(values)}
    return {"": np.asarray(values)}


def _concatenate(parts: Iterable[_Arrays]) -> _Arrays:
    columns: dict[str, list[npt.NDArray[Any]]] = {}
    for part in parts:
        for name, values in part.items():
            columns.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in columns.items()}
