"""One version of a model: a SavedModel, its signatures and how they are run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import error_codes_pb2, saved_model_pb2

from serving.errors import FailedPrecondition, Internal, ServingError, error_of_code
from serving.tensor_spec import Array, SignatureSpec, signature_spec

DEFAULT_SIGNATURE = "serving_default"
SAVED_MODEL_FILE = "saved_model.pb"
_SERVE_TAG = "serve"
# What TensorFlow raises for folders that are damaged or still written.
_LOAD_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
)


class ModelLoadError(Exception):
    """A model folder that cannot be served; the message names the folder.

    Attributes:
        code: Name of the status code that reports it, such as `NOT_FOUND`.
    """

    def __init__(self, message: str, code: str = "UNKNOWN"):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Signature:
    """A runnable signature.

    Attributes:
        name: Its name in the SavedModel.
        spec: Its inputs and outputs.
        function: The concrete function: named tensors to named tensors.
    """

    name: str
    spec: SignatureSpec
    function: Any

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name; bytes objects for strings.

        Args:
            inputs: Arrays that fit the specification.

        Raises:
            ServingError: With TensorFlow's own code, if the graph refuses the values.
        """
        try:
            tensors = {
                name: tf.constant(value, tf.string if value.dtype == object else None)
                for name, value in inputs.items()
            }
            outputs = self.function(**tensors)
            return {name: _array(value) for name, value in outputs.items()}
        except tf.errors.OpError as error:
            raise _translated(error) from error


@dataclass(frozen=True)
class ModelVersion:
    """A loaded version.

    Attributes:
        number: The version's number, its folder's name.
        signatures: What can be run, by name.
        definitions: Every `SignatureDef` of the SavedModel, for metadata.
        loaded: TensorFlow's object, kept because the functions refer to it weakly.
    """

    number: int
    signatures: Mapping[str, Signature]
    definitions: Mapping[str, Any]
    loaded: Any

    def signature(self, name: str) -> Signature:
        """A signature by name, the default one by an empty name.

        Raises:
            FailedPrecondition: If there is none of that name.
        """
        name = name or DEFAULT_SIGNATURE
        if name not in self.signatures:
            known = ", ".join(sorted(self.signatures))
            raise FailedPrecondition(
                f'Serving signature key "{name}" not found. Known: {known}'
            )
        return self.signatures[name]


def load_version(folder: str, number: int) -> ModelVersion:
    """Loads one version's folder.

    Args:
        folder: Holds `saved_model.pb`.
        number: The version's number.

    Raises:
        ModelLoadError: If it is no SavedModel, or TensorFlow cannot load it.
    """
    path = os.path.join(folder, SAVED_MODEL_FILE)
    if not os.path.isfile(path):
        raise ModelLoadError(
            f"{folder} is no SavedModel: it has no {SAVED_MODEL_FILE}", "NOT_FOUND"
        )
    try:
        definitions = _signature_definitions(path)
        loaded = tf.saved_model.load(folder, tags=[_SERVE_TAG])
        functions = dict(loaded.signatures)
    except (tf.errors.OpError, DecodeError, *_LOAD_ERRORS) as error:
        message = f"cannot load the SavedModel {folder}: {error}"
        raise ModelLoadError(message, _code(error)) from error
    signatures = {
        name: Signature(name, signature_spec(definitions[name]), function)
        for name, function in functions.items()
        if name in definitions
    }
    if not signatures:
        raise ModelLoadError(f"the SavedModel {folder} has no signatures to serve")
    return ModelVersion(number, signatures, definitions, loaded)


def _signature_definitions(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        message = saved_model_pb2.SavedModel.FromString(file.read())
    for graph in message.meta_graphs:
        if _SERVE_TAG in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise ValueError(f"it has no graph with the tag {_SERVE_TAG!r}")


def _code(error: Exception) -> str:
    if isinstance(error, tf.errors.OpError):
        name: str = error_codes_pb2.Code.Name(error.error_code)
        return name
    return "UNKNOWN"


def _array(tensor: Any) -> Array:
    if not isinstance(tensor, tf.Tensor):
        raise Internal(f"the signature gave a {type(tensor).__name__}, not a tensor")
    value = tensor.numpy()
    if isinstance(value, bytes):
        return np.array(value, object)
    return np.asarray(value)


def _translated(error: Any) -> ServingError:
    """TensorFlow's error without its Python stack, which is the server's own matter."""
    lines = [
        line
        for line in str(error.message).splitlines()
        if line.strip() and not _IS_STACK.match(line)
    ]
    return error_of_code(_code(error), " ".join(lines) or type(error).__name__)


_IS_STACK = re.compile(
    r"\s*(File \"|Graph execution error|Detected at node|<stack traces unavailable>"
    r"|\d+ root error|\s{4,})"
)
