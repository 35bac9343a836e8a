"""A split's raw examples as the numbers that trees are fitted to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import tensorflow as tf

from experiments.trees.inputs import candidate_of, tree_fields
from pipeline.examples.example_files import serialized_batches
from pipeline.examples.id_codes import IdCodes
from preprocessing.arrays.days import MS_PER_HOUR, local_day
from preprocessing.contract.column_names import EVENT_TIME, UNKNOWN_LABEL, USER_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.datasets.feature_types import feature_type
from preprocessing.features.columns import feature_schema
from preprocessing.transform.input_specs import HISTORIES, HISTORY_GAP

_MISSING = np.float32(np.nan)

Parsed = Mapping[str, tf.RaggedTensor]


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
        self._codes: dict[str, IdCodes] = defaultdict(IdCodes)
        schema = feature_schema(config)
        beside = dict.fromkeys((EVENT_TIME, USER_ID, *self._tasks))
        read = {
            **{name: schema.field(name) for name in beside},
            **{field.name: field for field in self._fields},
        }
        self._spec = {
            name: tf.io.RaggedFeature(tf.as_dtype(feature_type(field.type)))
            for name, field in read.items()
        }

    def read(self, split_dir: str) -> TreeRows:
        """All rows of a split.

        Raises:
            ValueError: The folder has no example files.
        """
        parts = [self._batch(batch) for batch in serialized_batches(split_dir)]
        return TreeRows(
            features=np.concatenate([part.features for part in parts]),
            labels={
                task: np.concatenate([part.labels[task] for part in parts])
                for task in self._tasks
            },
            days=np.concatenate([part.days for part in parts]),
            users=np.concatenate([part.users for part in parts]),
        )

    def _batch(self, serialized: tf.Tensor) -> TreeRows:
        parsed = tf.io.parse_example(serialized, self._spec)
        columns = list(self._columns(parsed))
        times = parsed[EVENT_TIME].flat_values.numpy()
        return TreeRows(
            features=np.stack(columns, axis=1),
            labels={
                task: _first(parsed[task], UNKNOWN_LABEL).astype(np.int8)
                for task in self._tasks
            },
            days=local_day(times, self._config.calendar).astype(np.int32),
            users=self._codes[USER_ID].encode(parsed[USER_ID].flat_values.numpy()),
        )

    def _columns(self, parsed: Parsed) -> Iterator[np.ndarray]:
        """Float32 [batch] each, in the order of `tree_features`."""
        for field in self._fields:
            values = parsed[field.name]
            if field.name in HISTORIES:
                yield _matches(values, parsed[candidate_of(field.name)])
            elif field.name == HISTORY_GAP:
                yield _lengths(values)
                yield _last(values) / np.float32(MS_PER_HOUR)
            elif pa.types.is_list(field.type):
                yield _lengths(values)
                yield self._category(field.name, values)
            elif pa.types.is_string(field.type):
                yield self._category(field.name, values)
            else:
                yield _first(values, _MISSING).astype(np.float32)

    def _category(self, name: str, values: tf.RaggedTensor) -> np.ndarray:
        """The number of each row's first text."""
        column = np.full(values.nrows(), _MISSING)
        ends = values.row_splits.numpy()
        there = ends[1:] > ends[:-1]
        texts = values.flat_values.numpy()[ends[:-1][there]]
        column[there] = self._codes[name].encode(texts)
        return column


def _first(values: tf.RaggedTensor, default: float) -> np.ndarray:
    """The first number of each row, float64 [batch]."""
    column = np.full(values.nrows(), default, np.float64)
    ends = values.row_splits.numpy()
    there = ends[1:] > ends[:-1]
    column[there] = values.flat_values.numpy()[ends[:-1][there]]
    return column


def _last(values: tf.RaggedTensor) -> np.ndarray:
    """The last number of each row, float32 [batch]; NaN where there is none."""
    column = np.full(values.nrows(), _MISSING)
    ends = values.row_splits.numpy()
    there = ends[1:] > ends[:-1]
    column[there] = values.flat_values.numpy()[ends[1:][there] - 1]
    return column


def _lengths(values: tf.RaggedTensor) -> np.ndarray:
    return np.diff(values.row_splits.numpy()).astype(np.float32)


def _matches(history: tf.RaggedTensor, candidate: tf.RaggedTensor) -> np.ndarray:
    """How many entries of each row's history are the row's first candidate."""
    first = candidate.with_row_splits_dtype(tf.int64)[:, :1].to_tensor(
        "", shape=[None, 1]
    )
    wanted = tf.repeat(first[:, 0], history.row_lengths())
    same = (history.flat_values == wanted) & (wanted != "")
    seen = np.concatenate([[0], np.cumsum(same.numpy())])
    return np.diff(seen[history.row_splits.numpy()]).astype(np.float32)
