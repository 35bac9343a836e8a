"""Rejects by reason, with some of the rows themselves."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

EXAMPLES = 3


@dataclass(frozen=True)
class RejectedRow:
    """A row that broke the contract.

    Attributes:
        row: Its values, as JSON.
        source: The file that it is from.
    """

    row: str
    source: str


@dataclass(frozen=True)
class RejectReason:
    """Rows that were rejected for the same reason.

    Attributes:
        reason: The reason.
        rows: How many.
        examples: The first `EXAMPLES` of them, by file and then by text.
    """

    reason: str
    rows: int
    examples: tuple[RejectedRow, ...]


class Rejects:
    """Counts rejects; keeps a few, the same whatever the order they come in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: Counter[str] = Counter()
        self._kept: dict[str, list[tuple[str, str]]] = {}

    def add(self, rejects: pa.Table) -> None:
        """Takes rejects, by `checks.rejects.REJECT_SCHEMA`."""
        for counted in pc.value_counts(rejects["reason"]).to_pylist():
            reason = counted["values"]
            of_reason = rejects.filter(pc.equal(rejects["reason"], reason))
            places = pc.select_k_unstable(
                of_reason.select(["source", "row"]),
                EXAMPLES,
                [("source", "ascending"), ("row", "ascending")],
            )
            first = of_reason.take(places).to_pylist()
            with self._lock:
                self._rows[reason] += counted["counts"]
                kept = self._kept.setdefault(reason, [])
                kept += [(row["source"], row["row"]) for row in first]
                kept.sort()
                del kept[EXAMPLES:]

    def result(self) -> list[RejectReason]:
        """The reasons, the most frequent first."""
        ordered = sorted(self._rows.items(), key=lambda item: (-item[1], item[0]))
        return [
            RejectReason(
                reason,
                rows,
                tuple(RejectedRow(row, source) for source, row in self._kept[reason]),
            )
            for reason, rows in ordered
        ]
