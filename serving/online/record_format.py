"""One user's record as bytes: what a store keeps under the user's id.

A byte that names the layout, then compressed JSON: [through_ms, state, pending] with
the values in the order of `state.USER_STATE_SCHEMA` and `contract.impression_schema`,
without the user's id. Any language reads it.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from preprocessing.contract.column_names import USER_ID
from preprocessing.online.updates import KnownUsers
from preprocessing.state.schema import USER_STATE_SCHEMA

_LAYOUT = b"\x01"
_FAST = 1  # zlib's level: reading and writing users matters more than the last bytes


class RecordError(ValueError):
    """Bytes that are no record of a layout that this release reads."""


def encode_users(known: KnownUsers) -> dict[str, bytes]:
    """The record of each user by id."""
    state = {row.pop(USER_ID): list(row.values()) for row in known.state.to_pylist()}
    pending: dict[str, list[list[Any]]] = defaultdict(list)
    for row in known.pending.to_pylist():
        pending[row.pop(USER_ID)].append(list(row.values()))
    return {
        user: _encode([through_ms, state.get(user), pending.get(user, [])])
        for user, through_ms in known.watermark_ms.items()
    }


def decode_users(records: Mapping[str, bytes], impressions: pa.Schema) -> KnownUsers:
    """What records hold.

    Args:
        records: Of `encode_users`, by user id.
        impressions: `contract.impression_schema` of the configuration.

    Raises:
        RecordError: A record is damaged or of another layout.
    """
    through_ms: dict[str, int] = {}
    states: list[list[Any]] = []
    pending: list[list[Any]] = []
    for user, record in records.items():
        through_ms[user], state, rows = _decode(user, record)
        states += [[user, *state]] if state is not None else []
        pending += [[user, *row] for row in rows]
    return KnownUsers(
        through_ms, _table(states, USER_STATE_SCHEMA), _table(pending, impressions)
    )


def _encode(values: list[Any]) -> bytes:
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return _LAYOUT + zlib.compress(text.encode(), _FAST)


def _decode(user: str, record: bytes) -> list[Any]:
    if record[:1] != _LAYOUT:
        raise RecordError(
            f"the record of user {user!r} has a layout that this release does not "
            f"read; expected {_LAYOUT!r}. Received: {record[:1]!r}"
        )
    try:
        values: list[Any] = json.loads(zlib.decompress(record[1:]))
    except (zlib.error, ValueError) as error:
        raise RecordError(f"the record of user {user!r} is damaged: {error}") from error
    return values


def _table(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Rows whose values are in the schema's order, the user's id first."""
    names = [USER_ID, *(name for name in schema.names if name != USER_ID)]
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    return pa.Table.from_arrays(
        [pa.array(columns.get(field.name, ()), field.type) for field in schema],
        schema=schema,
    )
