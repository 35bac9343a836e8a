"""Counts for rates: a state's, and by day those that were observed since.

A storage keeps them as whole numbers under names, beside those of videos: what was
observed on a day under one name, and a state that was loaded under another. On the last
day of a state only what came after it is counted; the days after that are the same
whichever state came before them.
"""

from __future__ import annotations

import json
import struct
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from preprocessing.contract.column_names import EVENT_TIME
from preprocessing.contract.config import FeatureConfig
from preprocessing.online.rates import (
    DayCounts,
    RateKey,
    advance_rates,
    compute_rates_at,
    count_by_day,
    days_of,
    rate_keys,
)
from preprocessing.state.rates import (
    DAY,
    KEY,
    OTHER,
    SUBJECT,
    measure_names,
    rate_state_schema,
)
from serving.online.state_snapshot import StateSnapshot
from serving.online.storage import RecordStorage

_DAYS_NOTE = "rates of day "
_KEYS = (SUBJECT, KEY, OTHER)


class RateCounts:
    """Rates at any moment, of a state and of what was observed since.

    Args:
        storage: Keeps the counts.
        snapshot: A state in memory.
        config: The feature configuration.
    """

    def __init__(
        self, storage: RecordStorage, snapshot: StateSnapshot, config: FeatureConfig
    ):
        self._storage = storage
        self._snapshot = snapshot
        self._config = config
        self._measures = measure_names(config)
        self._columns = rate_state_schema(config).names[3:]  # all but the key
        self._noted: set[int] = set()

    def counters(
        self, impressions: pa.Table, watermark_ms: int
    ) -> dict[str, dict[str, int]]:
        """What observed impressions add to the storage's counts, by name and id.

        Args:
            impressions: By `contract.schema.impression_schema`, later than the state.
            watermark_ms: The state's end, UTC.
        """
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for (key, day), counts in count_by_day(impressions, self._config).items():
            self._note(day)
            counter = found[self._name_of(day, watermark_ms)]
            for measure, count in zip(self._measures, counts.tolist(), strict=True):
                if count:
                    counter[_id_of(key, measure)] += count
        return {name: dict(counter) for name, counter in found.items()}

    def rates(self, impressions: pa.Table, watermark_ms: int) -> dict[str, list[float]]:
        """`config.rate_columns` of impressions of one moment, later than the state.

        Args:
            impressions: By `contract.schema.impression_schema`.
            watermark_ms: The state's end, UTC.
        """
        keys = list(
            dict.fromkeys(key for key, _ in rate_keys(impressions, self._config))
        )
        time_ms = impressions[EVENT_TIME][0].as_py()
        first, last = days_of([watermark_ms, time_ms], self._config)
        known = self._state_of(keys, watermark_ms)
        days = [day for day in self._days() if first <= day <= last]
        observed = self._observed(keys, days, watermark_ms)
        state = advance_rates(known, observed, self._config)
        return compute_rates_at(impressions, state, self._config)

    def load(self, tables: Iterable[pa.Table], watermark_ms: int) -> None:
        """Puts a state into the storage, under a name of its own.

        Args:
            tables: By `state.rates.rate_state_schema`.
            watermark_ms: The state's end, UTC.
        """
        for table in tables:
            for part in table.to_batches(max_chunksize=10_000):
                numbers: dict[str, int] = {}
                for row in part.to_pylist():
                    key = RateKey(*(row[name] for name in _KEYS))
                    for column in self._columns:
                        number = _as_whole(row[column])
                        if number or column == DAY:
                            numbers[_id_of(key, column)] = number
                self._storage.set_video_impressions(numbers, _loaded(watermark_ms))

    def forget(self, watermark_ms: int, newer_ms: int) -> None:
        """Drops what only an older state needed.

        Args:
            watermark_ms: The older state's end, UTC.
            newer_ms: The newer state's end, UTC.
        """
        if watermark_ms == newer_ms:
            return
        self._storage.drop_video_impressions(_loaded(watermark_ms))
        until, newest = days_of([watermark_ms, newer_ms], self._config)
        for day in self._days():
            if day < newest:
                self._storage.drop_video_impressions(_observed(day))
            if day == until:
                name = self._name_of(day, watermark_ms)
                self._storage.drop_video_impressions(name)

    def _name_of(self, day: int, watermark_ms: int) -> str:
        (last,) = days_of([watermark_ms], self._config)
        since = f" since {watermark_ms}" if day <= last else ""
        return f"{_observed(day)}{since}"

    def _note(self, day: int) -> None:
        """Notes that there are counts of a day, before there are any."""
        if day not in self._noted:
            self._storage.set_note_once(f"{_DAYS_NOTE}{day}", "")
            self._noted.add(day)

    def _days(self) -> Iterator[int]:
        for note in self._storage.notes():
            if note.startswith(_DAYS_NOTE):
                yield int(note.removeprefix(_DAYS_NOTE))

    def _state_of(self, keys: Sequence[RateKey], watermark_ms: int) -> pa.Table:
        if self._snapshot.watermark_ms >= 0:
            return self._snapshot.rates(keys)
        ids = [_id_of(key, column) for key in keys for column in self._columns]
        name, width = _loaded(watermark_ms), len(self._columns)
        numbers = self._storage.video_impressions(ids, name)
        schema = rate_state_schema(self._config)
        rows = []
        for number, key in enumerate(keys):
            values = numbers[number * width : (number + 1) * width]
            if any(values[1:]):  # a key that is known has impressions
                rows.append(dict(zip(self._columns, values, strict=True)))
                rows[-1] |= zip(_KEYS, key, strict=True)
        for row in rows:
            for field in schema:
                if pa.types.is_floating(field.type):
                    row[field.name] = _as_float(row[field.name])
        return pa.Table.from_pylist(rows, schema=schema)

    def _observed(
        self, keys: Sequence[RateKey], days: Sequence[int], watermark_ms: int
    ) -> DayCounts:
        ids = [_id_of(key, measure) for key in keys for measure in self._measures]
        found: DayCounts = {}
        for day in days:
            name = self._name_of(day, watermark_ms)
            numbers = np.array(self._storage.video_impressions(ids, name))
            counts = numbers.reshape(len(keys), len(self._measures))
            for key, values in zip(keys, counts, strict=True):
                if values.any():
                    found[key, day] = values
        return found


def _observed(day: int) -> str:
    return f"rates day {day}"


def _loaded(watermark_ms: int) -> str:
    return f"rates {watermark_ms}"


def _id_of(key: RateKey, column: str) -> str:
    return json.dumps([*key, column], ensure_ascii=False, separators=(",", ":"))


def _as_whole(value: float | int) -> int:
    """A number of a state as a whole number: a fraction's by its 64 bits."""
    if isinstance(value, int):
        return value
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return int(bits)


def _as_float(bits: int) -> float:
    (value,) = struct.unpack("<d", struct.pack("<q", bits))
    return float(value)
