"""Times as ISO 8601 writes them, in milliseconds."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.iso_layout import read_layout
from preprocessing.arrays.local_times import local_to_utc_ms

_ISO = (
    r"^(?P<date>\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))"
    r"(?:[T ](?P<time>(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?)"
    r"(?:[.,](?P<fraction>\d{1,9}))?"
    r" ?(?P<zone>Z|z|UTC|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?)?$"
)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MS = datetime.timedelta(milliseconds=1)
_MOST_LENGTHS = 8  # times of one column differ in the digits of their fractions


def read_iso_times(
    text: pa.Array, zone: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Reads "2022-05-01 10:00:00.250+08:00" and its shorter forms.

    A time without a zone is `zone`'s, a date alone its midnight; what is finer than a
    millisecond is cut off.

    Args:
        text: pa.string() [rows].
        zone: A name of the time zone database; None for UTC.

    Returns:
        UTC milliseconds since 1970, int64 [rows], and which cells are such times, bool
        [rows].
    """
    times = np.zeros(len(text), dtype=np.int64)
    read = np.zeros(len(text), dtype=bool)
    local = np.zeros(len(text), dtype=bool)
    lengths = pc.fill_null(pc.binary_length(text), -1).to_numpy(zero_copy_only=False)
    for length in _frequent(lengths):
        rows = np.flatnonzero(lengths == length)
        found = read_layout(_cells(text, rows, length))
        if found is not None:
            times[rows], read[rows], zoned = found
            local[rows] = not zoned
    rest = np.flatnonzero(~read & (lengths >= 0))
    if len(rest):
        times[rest], read[rest], local[rest] = _read_each(text.take(pa.array(rest)))
    local &= read
    if zone is not None and local.any():
        times[local] = local_to_utc_ms(times[local], zone)
    return np.where(read, times, 0), read


def _frequent(lengths: np.ndarray) -> list[int]:
    """Lengths of texts that a layout may have, the most frequent first."""
    counts = np.bincount(np.clip(lengths, 0, 64), minlength=65)[:64]
    counts[:10] = 0
    order = np.argsort(-counts, kind="stable")[:_MOST_LENGTHS]
    return [int(length) for length in order if counts[length]]


def _cells(text: pa.Array, rows: np.ndarray, length: int) -> np.ndarray:
    """Texts of one length as uint8 [rows, length]."""
    chosen = text if len(rows) == len(text) else text.take(pa.array(rows))
    _, _, content = chosen.buffers()
    data = np.frombuffer(content, dtype=np.uint8)
    offsets = np.frombuffer(chosen.buffers()[1], dtype=np.int32)
    begin = int(offsets[chosen.offset])
    return data[begin : begin + len(rows) * length].reshape(len(rows), length)


def _read_each(text: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times one by one, each once: values, which are read, which name no zone."""
    encoded = text.dictionary_encode()
    parts = pc.extract_regex(encoded.dictionary, pattern=_ISO).to_pylist()
    times = [_milliseconds(part) for part in parts] + [None]
    codes = encoded.indices.fill_null(len(parts)).to_numpy(zero_copy_only=False)
    read = np.array([time is not None for time in times])
    values = np.array([time or 0 for time in times], dtype=np.int64)
    local = np.array([part is not None and not part["zone"] for part in parts] + [0])
    return values[codes], read[codes], local.astype(bool)[codes]


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
