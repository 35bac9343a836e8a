"""The requests of a pipeline run's sampled user, as arrays and as bytes to send."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from serving.client.inputs import as_arrays
from serving.protocol.tensor_proto import write_tensor
from serving.protocol.tensor_spec import ABSENT, Array
from serving.server.models.saved_model import ModelVersion

NAME = "ranker"


@dataclass(frozen=True)
class Payload:
    """A request.

    Attributes:
        signature: What it asks.
        inputs: Its arrays.
    """

    signature: str
    inputs: Mapping[str, Array]

    def grpc(self) -> bytes:
        """A serialized `PredictRequest`."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name = NAME
        request.model_spec.signature_name = self.signature
        for name, array in self.inputs.items():
            write_tensor(array, request.inputs[name])
        return bytes(request.SerializeToString())

    def rest(self) -> bytes:
        """The JSON body of `:predict`, by column."""
        inputs = {name: _json(array) for name, array in self.inputs.items()}
        body = {"signature_name": self.signature, "inputs": inputs}
        return json.dumps(body).encode()


@dataclass(frozen=True)
class Payloads:
    """One user with the same candidates, asked about in three ways.

    Attributes:
        rank: All candidates in one `rank` request.
        examples: The same impressions as `tf.Example`s, the user in each.
        row: One of them as a `predict_raw` request.
    """

    rank: Payload
    examples: Payload
    row: Payload


def payloads(request_file: Path, version: ModelVersion, candidates: int) -> Payloads:
    """Requests of a file that the pipeline sampled, its candidates repeated.

    Args:
        request_file: A user and candidates, `runs/demo/requests/regular.json`.
        version: The model that will answer.
        candidates: How many to rank.
    """
    sampled = json.loads(request_file.read_text(encoding="utf-8"))
    user = sampled["user"]
    repeated = {
        name: list(islice(cycle(values), candidates))
        for name, values in sampled["candidates"].items()
    }
    one = {name: values[:1] for name, values in repeated.items()}
    rank = as_arrays({**user, **repeated}, version.signature("rank").spec.inputs)
    row = as_arrays({**user, **one}, version.signature("predict_raw").spec.inputs)
    return Payloads(
        Payload("rank", rank),
        Payload("serving_default", {"examples": _examples(rank, candidates)}),
        Payload("predict_raw", row),
    )


def _examples(rank: Mapping[str, Array], candidates: int) -> Array:
    examples = []
    for index in range(candidates):
        message = tf.train.Example()
        for name, array in rank.items():
            row = index if len(array) == candidates else 0
            _add_known(message.features.feature[name], array[row : row + 1].ravel())
        examples.append(message.SerializeToString())
    return np.array(examples, object)


def _add_known(feature: Any, values: Array) -> None:
    """Absent values are left out, as they are where examples come from."""
    kind = values.dtype.kind
    if kind == "f":
        feature.float_list.value.extend(values[~np.isnan(values)].tolist())
        return
    known = values[values != ABSENT[kind]].tolist()
    (feature.bytes_list if kind == "O" else feature.int64_list).value.extend(known)


def _json(array: Array) -> Any:
    if array.dtype == object:
        return np.vectorize(bytes.decode, otypes=[object])(array).tolist()
    return array.tolist()
