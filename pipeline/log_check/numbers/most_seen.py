"""How many ids there are, and which have the most impressions."""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

_SHOWN = 3


@dataclass(frozen=True)
class Seen:
    """An id and its impressions."""

    id: str
    rows: int


class MostSeen:
    """Counts ids of which each comes once, with all of its impressions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.ids = 0
        self._most: list[tuple[int, str]] = []

    def add(self, ids: pa.Array, rows: np.ndarray) -> None:
        """Takes ids [n] and their impressions, int64 [n]."""
        # All that are as many as the last one shown: their order must not decide.
        shown = min(_SHOWN, len(rows))
        least = np.partition(rows, -shown)[-shown]
        places = np.flatnonzero(rows >= least)
        names = ids.take(pa.array(places)).to_pylist()
        most = list(zip(rows[places].tolist(), names, strict=True))
        with self._lock:
            self.ids += len(ids)
            self._most = heapq.nlargest(_SHOWN, [*self._most, *most])

    def most(self) -> list[Seen]:
        """Those with the most impressions, first the one with most."""
        return [Seen(id, rows) for rows, id in self._most]
