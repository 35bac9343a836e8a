"""A split's raw examples as the numbers that trees are fitted to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from experiments.trees.inputs import (
    TreeFeature,
    candidate_of,
    tree_features,
    tree_fields,
)
from pipeline.examples.example_files import read_files, split_files
from pipeline.examples.id_codes import IdCodes
from preprocessing.arrays.days import MS_PER_HOUR, local_day
from preprocessing.contract.column_names import EVENT_TIME, UNKNOWN_LABEL, USER_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.datasets.feature_types import feature_type
from preprocessing.engine.cores import usable_cores
from preprocessing.features.columns import feature_schema
from preprocessing.transform.input_specs import HISTORIES, HISTORY_GAP

_BATCH = 2048
_AHEAD = 2
# What stands for no value while examples are parsed; of texts it is the empty one,
# which is missing for the model, too.
_MISSING: Mapping[str, Any] = {
    "int64": np.iinfo(np.int64).min,
    "float32": float("nan"),
    "string": "",
}

Tensors = dict[str, Any]


@dataclass(frozen=True)
class TreeRows:
    """A split, in the order of its files.

    Attributes:
        features: float32 [rows, features], by `tree_features`; NaN is missing. The
            categories of a feature are 0, 1, 2, ...
        labels: int8 [rows], 0, 1 or `UNKNOWN_LABEL`, by task.
        days: In the calendar of the features, since 1970, int32 [rows].
        users: One number per user, int32 [rows].
    """

    features: np.ndarray
    labels: Mapping[str, np.ndarray]
    days: np.ndarray
    users: np.ndarray

    def __len__(self) -> int:
        return len(self.days)


class TreeRowReader:
    """Reads splits; a value has the same number in all that one reader reads.

    Args:
        config: Of the feature table that the examples were made of.
        tasks: The labels to read.
    """

    def __init__(self, config: FeatureConfig, tasks: Sequence[str]):
        self._config = config
        self._tasks = tuple(tasks)
        self._fields = tree_fields(config)
        self._features = tree_features(config)
        self._codes: dict[str, IdCodes] = defaultdict(IdCodes)
        schema = feature_schema(config)
        beside = dict.fromkeys((EVENT_TIME, USER_ID, *self._tasks))
        read = {field.name: field for field in map(schema.field, beside)}
        read |= {field.name: field for field in self._fields}
        self._spec = {name: _parsing(field) for name, field in read.items()}

    def read(self, split_dir: str) -> TreeRows:
        """All rows of a split.

        Raises:
            ValueError: The folder has no example files.
        """
        batches = (
            read_files(split_files(split_dir))
            .batch(_BATCH)
            .map(self._parse, num_parallel_calls=usable_cores(), deterministic=True)
            .prefetch(_AHEAD)
        )
        parts = [self._rows(batch) for batch in batches.as_numpy_iterator()]
        return TreeRows(
            features=np.concatenate([part.features for part in parts]),
            labels={
                task: np.concatenate([part.labels[task] for part in parts])
                for task in self._tasks
            },
            days=np.concatenate([part.days for part in parts]),
            users=np.concatenate([part.users for part in parts]),
        )

    def _parse(self, serialized: tf.Tensor) -> tuple[Tensors, Tensors]:
        """The features, in the order of `tree_features`, and what is beside them."""
        parsed = tf.io.parse_example(serialized, self._spec)
        columns = [
            column for field in self._fields for column in _columns(field, parsed)
        ]
        names = [feature.name for feature in self._features]
        beside = (EVENT_TIME, USER_ID, *self._tasks)
        return (
            dict(zip(names, columns, strict=True)),
            {name: parsed[name] for name in beside},
        )

    def _rows(self, batch: tuple[Tensors, Tensors]) -> TreeRows:
        columns, beside = batch
        unknown = _MISSING["int64"]
        days = local_day(beside[EVENT_TIME], self._config.calendar)
        return TreeRows(
            features=np.stack(
                [self._numbers(f, columns[f.name]) for f in self._features], axis=1
            ),
            labels={
                task: np.where(
                    beside[task] == unknown, UNKNOWN_LABEL, beside[task]
                ).astype(np.int8)
                for task in self._tasks
            },
            days=days.astype(np.int32),
            users=self._codes[USER_ID].encode(beside[USER_ID]),
        )

    def _numbers(self, feature: TreeFeature, column: np.ndarray) -> np.ndarray:
        """Float32 [batch]: texts become the numbers of their categories."""
        if not feature.categorical:
            return column
        numbers = np.full(len(column), np.nan, np.float32)
        known = column != b""
        numbers[known] = self._codes[feature.name].encode(column[known])
        return numbers


def _parsing(field: pa.Field) -> tf.io.FixedLenFeature | tf.io.RaggedFeature:
    kind = feature_type(field.type)
    if pa.types.is_list(field.type):
        return tf.io.RaggedFeature(tf.as_dtype(kind))
    return tf.io.FixedLenFeature([], tf.as_dtype(kind), _MISSING[kind])


def _columns(field: pa.Field, parsed: Tensors) -> Iterator[tf.Tensor]:
    """What a column of the table becomes: float32 or texts, [batch] each."""
    values = parsed[field.name]
    if field.name in HISTORIES:
        yield _matches(values, parsed[candidate_of(field.name)])
    elif field.name == HISTORY_GAP:
        yield _lengths(values)
        newest = _only(values[:, -1:])
        hours = tf.cast(newest, tf.float32) / MS_PER_HOUR
        yield tf.where(newest == _MISSING["int64"], float("nan"), hours)
    elif pa.types.is_list(field.type):
        yield _lengths(values)
        yield _only(values[:, :1])
    elif values.dtype == tf.int64:
        unknown = values == _MISSING["int64"]
        yield tf.where(unknown, float("nan"), tf.cast(values, tf.float32))
    else:
        yield values


def _only(values: tf.RaggedTensor) -> tf.Tensor:
    """The value of each row, [batch], of rows that have one at most."""
    missing = _MISSING[values.dtype.name]
    return values.to_tensor(missing, shape=[None, 1])[:, 0]


def _lengths(values: tf.RaggedTensor) -> tf.Tensor:
    return tf.cast(values.row_lengths(), tf.float32)


def _matches(
    history: tf.RaggedTensor, candidate: tf.Tensor | tf.RaggedTensor
) -> tf.Tensor:
    """How many entries of each row's history are the row's candidate.

    Of a list that is its first entry; an unknown candidate is in no history.
    """
    if isinstance(candidate, tf.RaggedTensor):
        candidate = _only(candidate[:, :1])
    wanted = tf.repeat(candidate, history.row_lengths())
    same = (history.flat_values == wanted) & (wanted != "")
    counts = history.with_flat_values(tf.cast(same, tf.float32))
    return tf.reduce_sum(counts, axis=1)
