"""The part that the REST API's request bodies have in common."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.protocol.errors import InvalidArgument
from serving.protocol.tensor_json import shorten


@dataclass(frozen=True)
class JsonRequest:
    """A request's body, before its values are read.

    Attributes:
        signature: The signature's name; empty for the default one.
        fields: The whole JSON object.
    """

    signature: str
    fields: Mapping[str, Any]


def parse_request(body: bytes) -> JsonRequest:
    """Reads a request's JSON; NaN, Infinity and -Infinity are numbers.

    A byte order mark before it is skipped, as TensorFlow Serving skips it.

    Raises:
        InvalidArgument: If it is not a JSON object, or one in it has a key twice.
    """
    fields = _parse(body)
    if not isinstance(fields, dict):
        raise InvalidArgument("JSON Value: Is not object")
    signature = fields.get("signature_name", "")
    if not isinstance(signature, str):
        raise InvalidArgument("'signature_name' key must be a string value.")
    return JsonRequest(signature, fields)


def _parse(body: bytes) -> Any:
    try:
        text = body.decode("utf-8-sig")
        return json.loads(text, parse_float=_finite, object_pairs_hook=_object)
    except RecursionError as error:
        raise InvalidArgument("JSON Parse error: nested too deeply") from error
    except ValueError as error:
        raise InvalidArgument(
            f"JSON Parse error: {error if body else 'The document is empty.'}"
        ) from error


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        [(twice, _)] = Counter(name for name, _ in members).most_common(1)
        raise ValueError(f"the key {shorten(twice)} stands twice in one object")
    return found


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("Number too big to be stored in double.")
    return value
