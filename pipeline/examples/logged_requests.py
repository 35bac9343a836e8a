"""Logged Predict requests as examples, one for each candidate that was asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from pipeline.config import InputConfig
from pipeline.config.drift import served_columns
from pipeline.examples.statistics import parsing_of
from preprocessing.contract.column_names import VIDEO_ID
from preprocessing.datasets.feature_types import feature_type
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.features.columns import feature_schema
from preprocessing.readers.tfrecord_records import record_batches
from preprocessing.storage.files import DataFile, SourceError, local_path
from preprocessing.transform.input_specs import input_specs
from serving.protocol.errors import ServingError
from serving.protocol.tensor_proto import read_tensor

_EXAMPLES = "examples"  # the one input of `serving_default`
_BATCH_RECORDS = 256
_KINDS = {"string": "O", "int64": "iu", "float32": "f"}
_TYPES = {"string": pa.binary(), "int64": pa.int64(), "float32": pa.float32()}


@dataclass(frozen=True)
class ServedColumns:
    """The columns that requests have.

    Attributes:
        fields: Their fields in the feature table.
        ages: Names of ages and the like, whose negative values count as missing, as in
            the Transform.
    """

    fields: tuple[pa.Field, ...]
    ages: frozenset[str]

    @cached_property
    def forms(self) -> dict[str, tuple[int, str]]:
        """Dimensions in a dense request, and numpy's kinds of the values, by column."""
        return {
            field.name: (
                2 if pa.types.is_list(field.type) else 1,
                _KINDS[feature_type(field.type)],
            )
            for field in self.fields
        }

    @classmethod
    def of(cls, config: InputConfig) -> ServedColumns:
        """Those of the model's inputs that are compared: histories are not."""
        features, transform = config.features, config.transform
        schema = feature_schema(features)
        names = served_columns(features, transform)
        specs = input_specs(features, transform)
        ages = frozenset(spec.column for spec in specs if spec.kind == "bucket")
        return cls(tuple(schema.field(name) for name in names), ages)


@dataclass
class LoggedCandidates:
    """The newest candidates of logged requests.

    Attributes:
        examples: An example for each candidate.
        requests: The requests that were read for them.
        other_models: Requests that asked other models, and were left out.
        unreadable: Requests, or logs of other methods, that do not have the columns.
        damaged: What is wrong with files that could not be read to their end.
    """

    examples: list[bytes] = field(default_factory=list)
    requests: int = 0
    other_models: int = 0
    unreadable: int = 0
    damaged: list[str] = field(default_factory=list)


def newest_candidates(
    files: Sequence[DataFile], model_name: str, columns: ServedColumns, count: int
) -> LoggedCandidates:
    """Reads files from the newest on, until there are enough candidates.

    Args:
        files: TFRecord files of `PredictionLog`s, the oldest first.
        model_name: Requests of other models are left out.
        columns: The columns to read; one that a request lacks is missing.
        count: Most candidates; of a file that has more, the last ones.
    """
    found = LoggedCandidates()
    for file in reversed(files):
        if missing := count - len(found.examples):
            newest = _newest(_requests(file, model_name, columns, found), missing)
            found.requests += len(newest)
            found.examples += _serialized(newest, columns)[-missing:]
    return found


@dataclass(frozen=True)
class _Request:
    """Examples, or each column's values: [candidates] or [candidates, length]."""

    candidates: int
    examples: Sequence[bytes] = ()
    dense: Mapping[str, np.ndarray] = field(default_factory=dict)


def _newest(requests: Iterator[_Request], count: int) -> list[_Request]:
    """The last requests that have so many candidates."""
    kept: deque[_Request] = deque()
    candidates = 0
    for request in requests:
        kept.append(request)
        candidates += request.candidates
        while candidates - kept[0].candidates >= count:
            candidates -= kept.popleft().candidates
    return list(kept)


def _requests(
    file: DataFile, model_name: str, columns: ServedColumns, found: LoggedCandidates
) -> Iterator[_Request]:
    """Reads a file, and counts in `found` what is not taken of it."""
    log = prediction_log_pb2.PredictionLog()
    try:
        for batch in record_batches(local_path(file.path), file.name, _BATCH_RECORDS):
            for record in batch:
                try:
                    log.ParseFromString(record)
                except DecodeError:
                    found.unreadable += 1
                    continue
                message = log.predict_log.request
                if not log.HasField("predict_log"):
                    found.unreadable += 1
                elif message.model_spec.name != model_name:
                    found.other_models += 1
                elif (request := _read(message, columns)) is None:
                    found.unreadable += 1
                else:
                    yield request
    except (SourceError, OSError) as error:
        found.damaged.append(str(error))


def _read(message: Any, columns: ServedColumns) -> _Request | None:
    """A request's columns; None if they are not as the feature table has them.

    Of `rank` the user's one row counts for each candidate; of `predict_raw` each row
    is one.
    """
    if set(message.inputs) == {_EXAMPLES}:
        examples = _values(message, _EXAMPLES)
        if examples is None or not _are_examples(examples, columns):
            return None
        return _Request(len(examples), examples.tolist())
    video_ids = _values(message, VIDEO_ID)
    if video_ids is None or video_ids.ndim != 1:
        return None
    dense, candidates = {}, len(video_ids)
    for name, (dimensions, kinds) in columns.forms.items():
        if name not in message.inputs:
            continue
        values = _values(message, name)
        if (
            values is None
            or values.ndim != dimensions
            or values.dtype.kind not in kinds
        ):
            return None
        if len(values) == 1:
            values = np.repeat(values, candidates, axis=0)
        if len(values) != candidates:
            return None
        dense[name] = values
    return _Request(candidates, dense=dense)


def _values(message: Any, name: str) -> np.ndarray | None:
    if name not in message.inputs:
        return None
    try:
        return read_tensor(name, message.inputs[name])
    except ServingError:
        return None


def _are_examples(values: np.ndarray, columns: ServedColumns) -> bool:
    if values.ndim != 1 or values.dtype.kind != "O":
        return False
    try:
        tf.io.parse_example(values, parsing_of(columns.fields))
    except tf.errors.InvalidArgumentError:
        return False
    return True


def _serialized(requests: list[_Request], columns: ServedColumns) -> list[bytes]:
    """An example for each candidate, without what is missing."""
    tables = [_table(of, columns) for of in requests if not of.examples]
    rows = encode_examples(pa.concat_tables(tables)) if tables else []
    for request in requests:
        rows += request.examples
    return rows


def _table(request: _Request, columns: ServedColumns) -> pa.Table:
    return pa.table(
        {of.name: _column(request, of, columns.ages) for of in columns.fields}
    )


def _column(request: _Request, of: pa.Field, ages: frozenset[str]) -> pa.Array:
    kind = _TYPES[feature_type(of.type)]
    listed = pa.types.is_list(of.type)
    values = request.dense.get(of.name)
    if values is None:
        return pa.nulls(request.candidates, pa.list_(kind) if listed else kind)
    if listed:
        known = _is_known(values, negative=False)
        ends = np.append(0, np.cumsum(known.sum(axis=1)))
        return pa.ListArray.from_arrays(
            pa.array(ends, pa.int32()), pa.array(values[known], kind)
        )
    missing = None
    if of.nullable:
        missing = ~_is_known(values, negative=of.name not in ages)
    return pa.array(values, kind, mask=missing)


def _is_known(values: np.ndarray, negative: bool) -> np.ndarray:
    """Whether a value of a dense request is there: docs/serving.md says what is not.

    Args:
        values: Of any shape.
        negative: Whether a negative number is a value.
    """
    if values.dtype.kind == "O":
        return values != b""
    return ~np.isnan(values) if negative else values >= 0
