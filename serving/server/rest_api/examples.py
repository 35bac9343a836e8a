"""`tf.Example`s from the JSON bodies of classify and regress requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow.core.example import example_pb2, feature_pb2

from serving.protocol.errors import InvalidArgument
from serving.protocol.example_input import serialized_examples
from serving.protocol.tensor_json import (
    bytes_from_json,
    fits_float32,
    is_base64,
    shorten,
)
from serving.protocol.tensor_spec import Array

_KINDS = {"bytes_list": "bytes", "float_list": "float", "int64_list": "int64"}


def read_examples(fields: Mapping[str, Any]) -> Array:
    """Serialized examples [batch] of a request's `examples` and `context`.

    A number with a decimal point or an exponent makes a feature float, a whole one
    int64, as do booleans; strings and `{"b64": "..."}` make it bytes.

    Args:
        fields: The request's JSON object.

    Raises:
        InvalidArgument: If the examples are missing or a feature's values have no
            common kind.
    """
    context = b""
    if "context" in fields:
        context = _example(fields["context"]).SerializeToString()
    if "examples" not in fields:
        raise InvalidArgument("key 'examples' is expected and was not found")
    examples = fields["examples"]
    if not isinstance(examples, list):
        raise InvalidArgument(
            f"Expecting 'examples' value to be an list/array, received "
            f"{shorten(examples)}"
        )
    if not examples:
        raise InvalidArgument("'examples' value is an empty array")
    return serialized_examples([_example(example) for example in examples], context)


def _example(value: Any) -> example_pb2.Example:
    if not isinstance(value, dict):
        raise InvalidArgument(
            f"Example must be JSON object but got JSON {shorten(value)}"
        )
    example = example_pb2.Example()
    for name, content in value.items():
        # Touched even if the list is empty: a feature without a value is a feature.
        feature = example.features.feature[_feature_name(name)]
        for element in content if isinstance(content, list) else [content]:
            _add(feature, name, element)
    return example


def _feature_name(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(
            f"Feature: {shorten(name)} is no valid Unicode name"
        ) from error
    return name


def _add(feature: feature_pb2.Feature, name: str, element: Any) -> None:
    kind, value = _typed(name, element)
    present = feature.WhichOneof("kind")
    if present not in (None, kind):
        raise InvalidArgument(
            f"Unexpected element type in feature: {shorten(name)} expecting type: "
            f"{_KINDS[present]}, received {shorten(element)}"
        )
    getattr(feature, kind).value.append(value)


def _typed(name: str, element: Any) -> tuple[str, Any]:
    """The kind of list that an element belongs to, and its value there."""
    if isinstance(element, bool):
        return "int64_list", int(element)
    if isinstance(element, str) or is_base64(element):
        return "bytes_list", bytes_from_json(element, name)
    if isinstance(element, int) and -(2**63) <= element < 2**64:
        if element >= 2**63:
            raise InvalidArgument(
                f"Feature: {shorten(name)} has uint64 element. Only int64 is supported."
            )
        return "int64_list", element
    if isinstance(element, int | float):  # whole numbers beyond 64 bits are floats
        if not fits_float32(element):
            raise InvalidArgument(
                f"Feature: {shorten(name)}: cannot convert {shorten(element)} to float "
                "without loss of precision."
            )
        return "float_list", float(element)
    raise InvalidArgument(
        f"Feature: {shorten(name)} has element with unexpected JSON type: "
        f"{shorten(element)}"
    )
