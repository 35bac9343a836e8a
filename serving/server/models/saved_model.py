"""One version of a model: a SavedModel, its signatures and how they are run."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import config_pb2, error_codes_pb2, saved_model_pb2

from serving.protocol.errors import (
    FailedPrecondition,
    InvalidArgument,
    ServingError,
    error_of_code,
)
from serving.protocol.tensor_spec import Array, SignatureSpec, signature_spec

_LOG = logging.getLogger(__name__)
DEFAULT_SIGNATURE = "serving_default"
SAVED_MODEL_FILE = "saved_model.pb"
_SERVE_TAG = "serve"
# What the SavedModel format keeps among the signatures for its own loader.
_WITHOUT_REQUESTS = ("__saved_model_init_op", "__saved_model_train_op")
# What TensorFlow raises for folders that are damaged or still written.
_LOAD_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
)


def _is_no_advice(record: logging.LogRecord) -> bool:
    """All but TensorFlow's warning that `_session` loads as TensorFlow Serving does."""
    return not record.getMessage().startswith(f"From {__file__}")


tf.get_logger().addFilter(_is_no_advice)


class ModelLoadError(Exception):
    """A model folder that cannot be served; the message names the folder.

    Attributes:
        code: Name of the status code that reports it, such as `NOT_FOUND`.
    """

    def __init__(self, message: str, code: str = "UNKNOWN"):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class SessionThreads:
    """How TensorFlow spreads a request over cores.

    By default a request runs in the thread that brings it. A server keeps its cores
    busy by several requests at once, and a ranker's operations are so small that to
    hand them over costs as much as they do.

    TensorFlow has one set of threads per process: `intra_op` of the first session
    counts.

    Attributes:
        intra_op: Threads within one operation; 0 takes the number of cores.
        inter_op: Operations of a request at a time; 0 takes the number of cores, -1
            runs them one by one in the calling thread.
    """

    intra_op: int = 1
    inter_op: int = -1


@dataclass(frozen=True)
class Signature:
    """A runnable signature.

    Attributes:
        name: Its name in the SavedModel.
        spec: Its inputs and outputs.
        function: From the inputs' arrays to those of the outputs, in the order of the
            specification.
    """

    name: str
    spec: SignatureSpec
    function: Callable[..., Sequence[Any]]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Outputs by name; bytes objects for strings.

        Args:
            inputs: Arrays that fit the specification.

        Raises:
            ServingError: With TensorFlow's own code, if the graph refuses the values.
        """
        try:
            outputs = self.function(*[inputs[name] for name in self.spec.inputs])
        except tf.errors.OpError as error:
            raise _translated(error) from error
        except UnicodeDecodeError as error:
            # TensorFlow's message quotes a value that is not UTF-8, so that Python
            # cannot make its exception; only what a request holds is quoted.
            message = bytes(error.object).decode(errors="replace")
            raise InvalidArgument(_without_nodes(message)) from error
        return {
            name: _array(value)
            for name, value in zip(self.spec.outputs, outputs, strict=True)
        }


@dataclass(frozen=True)
class ModelVersion:
    """A loaded version; TensorFlow frees it when nobody refers to it any more.

    Attributes:
        number: The version's number, its folder's name.
        signatures: What can be run, by name.
        definitions: Every `SignatureDef` of the SavedModel, for metadata.
    """

    number: int
    signatures: Mapping[str, Signature]
    definitions: Mapping[str, Any]

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


def load_version(
    folder: str, number: int, threads: SessionThreads | None = None
) -> ModelVersion:
    """Loads one version's folder into a session, as TensorFlow Serving does.

    Args:
        folder: Holds `saved_model.pb`.
        number: The version's number.
        threads: How to run; None takes the defaults.

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
        session = _session(folder, threads or SessionThreads())
        signatures = {
            name: _signature(name, definition, session)
            for name, definition in definitions.items()
            if _can_be_run(name, definition)
        }
    except (tf.errors.OpError, DecodeError, *_LOAD_ERRORS) as error:
        message = f"cannot load the SavedModel {folder}: {error}"
        raise ModelLoadError(message, _code(error)) from error
    if not signatures:
        raise ModelLoadError(f"the SavedModel {folder} has no signatures to serve")
    return ModelVersion(number, signatures, definitions)


def _signature_definitions(path: str) -> dict[str, Any]:
    with open(path, "rb") as file:
        message = saved_model_pb2.SavedModel.FromString(file.read())
    for graph in message.meta_graphs:
        if _SERVE_TAG in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise ValueError(f"it has no graph with the tag {_SERVE_TAG!r}")


def _session(folder: str, threads: SessionThreads) -> Any:
    """The SavedModel's graph with its variables and tables.

    A session starts a graph faster than a TF2 function does, takes arrays as they are,
    and frees the variables with its last reference, not by garbage collection.
    """
    tf1 = tf.compat.v1
    config = tf1.ConfigProto(
        intra_op_parallelism_threads=threads.intra_op,
        inter_op_parallelism_threads=threads.inter_op,
    )
    graph = tf.Graph()
    with graph.as_default():
        session = tf1.Session(graph=graph, config=config)
        tf1.saved_model.load(session, [_SERVE_TAG], folder)
    return session


def _can_be_run(name: str, definition: Any) -> bool:
    if name in _WITHOUT_REQUESTS:
        return False
    infos = [*definition.inputs.values(), *definition.outputs.values()]
    if all(info.WhichOneof("encoding") == "name" for info in infos):
        return True
    _LOG.warning("signature %s is not served: it has sparse or ragged tensors", name)
    return False


def _signature(name: str, definition: Any, session: Any) -> Signature:
    spec = signature_spec(definition)
    feeds = [definition.inputs[input_].name for input_ in spec.inputs]
    fetches = [definition.outputs[output].name for output in spec.outputs]
    # Keras also calls its session by it: a third of a millisecond less Python per call
    # than the public way, which is one call of `Session.run` and gives the same.
    make_callable = getattr(session, "_make_callable_from_options", None)
    if make_callable is None:
        return Signature(name, spec, session.make_callable(fetches, feeds))
    options = config_pb2.CallableOptions(feed=feeds, fetch=fetches)
    return Signature(name, spec, make_callable(options))


def _code(error: Exception) -> str:
    if isinstance(error, tf.errors.OpError):
        name: str = error_codes_pb2.Code.Name(error.error_code)
        return name
    return "UNKNOWN"


def _array(value: Any) -> Array:
    if isinstance(value, bytes):  # a scalar string
        return np.array(value, object)
    return np.asarray(value)


def _translated(error: Any) -> ServingError:
    message = _without_nodes(str(error.message))
    return error_of_code(_code(error), message or type(error).__name__)


def _without_nodes(message: str) -> str:
    """A message without its stack and nodes, which are no client's matter."""
    lines = [
        line
        for line in message.splitlines()
        if line.strip() and not _IS_STACK.match(line)
    ]
    return " ".join(lines).removeprefix("assertion failed: ")


_IS_STACK = re.compile(
    r"\s*(File \"|Graph execution error|Detected at node|<stack traces unavailable>"
    r"|\d+ root error|\s{4,}|\[\[\{\{)"
)
