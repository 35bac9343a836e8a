"""Play times and lengths: their middle values, from which a wrong unit is seen."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from pipeline.log_check.user_block import UserBlock
from preprocessing.contract.column_names import DURATION, PLAY_TIME, WATCH_COLUMNS

# Powers of ten, in twentieths; wide enough for quotients of any two times.
_BINS_PER_POWER, _POWERS = 20, 16
_EDGES = np.linspace(-_POWERS, _POWERS, 2 * _POWERS * _BINS_PER_POWER + 1)


@dataclass(frozen=True)
class Watching:
    """Middle values, within 6 %, of what is above 0; None without any.

    Attributes:
        play_time_ms: Of play times.
        video_duration_ms: Of lengths.
        quotient: Of play time over length, where both are above 0.
        rows: Impressions with both.
        played: Those whose play time is above 0.
    """

    play_time_ms: float | None
    video_duration_ms: float | None
    quotient: float | None
    rows: int
    played: int


class WatchingCounts:
    """Counts play times and lengths by their logarithm."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {
            name: np.zeros(len(_EDGES) - 1, np.int64)
            for name in (*WATCH_COLUMNS, "quotient")
        }
        self._rows = self._played = 0

    def add(self, block: UserBlock) -> None:
        """Takes impressions."""
        play, play_known = block.known(PLAY_TIME)
        length, length_known = block.known(DURATION)
        both = play_known & length_known
        used = both & (play > 0) & (length > 0)
        values = {
            PLAY_TIME: play[play_known & (play > 0)],
            DURATION: length[length_known & (length > 0)],
            "quotient": play[used] / length[used],
        }
        counts = {name: _binned(of) for name, of in values.items()}
        with self._lock:
            for name, count in counts.items():
                self._counts[name] += count
            self._rows += int(both.sum())
            self._played += int((both & (play > 0)).sum())

    def result(self) -> Watching:
        """The middle values."""
        middles = {name: _middle(counts) for name, counts in self._counts.items()}
        return Watching(**middles, rows=self._rows, played=self._played)


def _binned(values: np.ndarray) -> np.ndarray:
    places = np.floor((np.log10(values) + _POWERS) * _BINS_PER_POWER).astype(int)
    return np.bincount(places, minlength=len(_EDGES) - 1)[: len(_EDGES) - 1]


def _middle(counts: np.ndarray) -> float | None:
    if not counts.sum():
        return None
    place = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    return float(10 ** ((_EDGES[place] + _EDGES[place + 1]) / 2))
