"""The part that the REST API's request bodies have in common."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.protocol.errors import InvalidArgument


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

    Raises:
        InvalidArgument: If it is not a JSON object.
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
        return json.loads(body.decode(), parse_float=_finite)
    except RecursionError as error:
        raise InvalidArgument("JSON Parse error: nested too deeply") from error
    except ValueError as error:
        raise InvalidArgument(
            f"JSON Parse error: {error if body else 'The document is empty.'}"
        ) from error


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("Number too big to be stored in double.")
    return value
