"""Times as ISO 8601 writes them, in milliseconds."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_ISO = (
    r"^(?P<date>\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
    r"(?:[T ](?P<time>(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)"
    r"(?:[.,](?P<fraction>\d{1,9}))?"
    r" ?(?P<zone>Z|z|UTC|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?)?$"
)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MS = datetime.timedelta(milliseconds=1)


def read_iso_times(text: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Reads "2022-05-01 10:00:00.250+08:00" and its shorter forms.

    A time without a zone is UTC's, a date alone its midnight; what is finer than a
    millisecond is cut off.

    Args:
        text: pa.string() [rows].

    Returns:
        UTC milliseconds since 1970, int64 [rows], and which cells are such times, bool
        [rows].
    """
    encoded = text.dictionary_encode()
    parts = pc.extract_regex(encoded.dictionary, pattern=_ISO).to_pylist()
    times = [_milliseconds(part) for part in parts] + [None]
    codes = encoded.indices.fill_null(len(parts)).to_numpy(zero_copy_only=False)
    read = np.array([time is not None for time in times])
    values = np.array([time or 0 for time in times], dtype=np.int64)
    return values[codes], read[codes]


def _milliseconds(part: dict[str, str] | None) -> int | None:
    if part is None:
        return None
    clock = part["time"] or "00:00"
    try:
        moment = datetime.datetime.fromisoformat(f"{part['date']}T{clock}+00:00")
    except ValueError:  # the 30th of February
        return None
    fraction = (part["fraction"] or "")[:3].ljust(3, "0")
    return (moment - _EPOCH) // _MS + int(fraction) - _zone_ms(part["zone"] or "Z")


def _zone_ms(zone: str) -> int:
    if zone[0] not in "+-":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return (minutes if zone[0] == "+" else -minutes) * 60_000
