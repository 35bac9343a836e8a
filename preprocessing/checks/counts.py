"""Counts of a log's rows: read, turned into examples, rejected; and the limit."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.contract.column_names import EVENT_TIME
from preprocessing.contract.config import FeatureConfig

_WORST = 5


class EmptyLogError(ValueError):
    """A log without rows."""


class RejectLimitExceeded(ValueError):
    """More rows were rejected than `max_reject_rate` allows."""


@dataclass(frozen=True)
class LogSummary:
    """Counts of a run of the feature engine, or of a part of it; parts add up.

    Of a whole run `rows_in = examples + rejects`.

    Attributes:
        rows_in: Rows in the input files, unreadable lines included; of a run over some
            days (`checks.day_window`) only those that are not of others.
        examples: Rows of the feature table.
        by_reason: Rejects by reason; of `total` the most frequent first.
        last_event_ms: Time of the latest example, UTC; None without one.
        other_days: Rows that were left out, because they are of other days.
        undated: Of a run over some days, rows whose time cannot be read. They are
            rejects of every such run that reads their file.
        left_out: Rows that `source.where` does not ask for.
    """

    rows_in: int = 0
    examples: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)
    last_event_ms: int | None = None
    other_days: int = 0
    undated: int = 0
    left_out: int = 0

    @classmethod
    def of_examples(cls, features: pa.Table) -> LogSummary:
        """Counts a part of the feature table."""
        latest = pc.max(features[EVENT_TIME]).as_py()
        return cls(examples=features.num_rows, last_event_ms=latest)

    @classmethod
    def of_rejects(
        cls,
        rejects: pa.Table,
        rows_in: int = 0,
        other_days: int = 0,
        undated: int = 0,
        left_out: int = 0,
    ) -> LogSummary:
        """Counts rejects, and the rows of the input that they were found in."""
        counts = pc.value_counts(rejects["reason"]).to_pylist()
        by_reason = {count["values"]: count["counts"] for count in counts}
        return cls(
            rows_in,
            by_reason=by_reason,
            other_days=other_days,
            undated=undated,
            left_out=left_out,
        )

    @classmethod
    def total(cls, parts: Iterable[LogSummary]) -> LogSummary:
        """Adds up parts, in any order and grouping."""
        rows_in, examples, other_days, undated, left_out = 0, 0, 0, 0, 0
        by_reason: Counter[str] = Counter()
        times = []
        for part in parts:
            rows_in += part.rows_in
            examples += part.examples
            other_days += part.other_days
            undated += part.undated
            left_out += part.left_out
            by_reason.update(part.by_reason)
            if part.last_event_ms is not None:
                times.append(part.last_event_ms)
        ordered = sorted(by_reason.items(), key=lambda item: (-item[1], item[0]))
        last_ms = max(times, default=None)
        return cls(
            rows_in, examples, dict(ordered), last_ms, other_days, undated, left_out
        )

    @property
    def equation(self) -> str:
        """Rows in and out, in one line."""
        others = (
            f"; {self.left_out:,} other rows left out by source.where"
            if self.left_out
            else ""
        )
        return (
            f"{self.rows_in:,} rows in = {self.examples:,} examples + "
            f"{self.rejects:,} rejects{others}"
        )

    @property
    def rejects(self) -> int:
        """Rows that broke the contract."""
        return sum(self.by_reason.values())

    def checked(self) -> LogSummary:
        """The same counts, those of a whole run.

        Raises:
            RuntimeError: Rows were lost or doubled on the way, which is a defect.
        """
        if self.rows_in != self.examples + self.rejects:
            raise RuntimeError(
                f"rows do not add up: {self.rows_in} read, but {self.examples} "
                f"examples and {self.rejects} rejects"
            )
        return self

    def to_json(self) -> str:
        """One line of JSON: the attributes, and `rejects`."""
        counts = {
            "rows_in": self.rows_in,
            "examples": self.examples,
            "rejects": self.rejects,
            "by_reason": self.by_reason,
            "last_event_ms": self.last_event_ms,
            "other_days": self.other_days,
            "undated": self.undated,
            "left_out": self.left_out,
        }
        return json.dumps(counts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> LogSummary:
        """Reads what `to_json` wrote."""
        counts = json.loads(text)
        known = {f.name for f in fields(cls)} & counts.keys()  # older ones have fewer
        return cls(**{name: counts[name] for name in known})


def check_rejects(
    summary: LogSummary, config: FeatureConfig, rejects_path: str = ""
) -> None:
    """Stops a run whose log is empty or breaks the contract too often.

    Args:
        summary: The run's counts.
        config: Gives `max_reject_rate`.
        rejects_path: Where the rejected rows are, for the message.

    Raises:
        EmptyLogError: The log has no rows.
        RejectLimitExceeded: rejects / rows_in > max_reject_rate; the message names
            the most frequent reasons. Of a run over some days it is so of the rows of
            these days, or of the undated ones among all rows that were read.
    """
    of_days = summary.rows_in - summary.undated
    if not of_days:
        others = summary.other_days
        which = f" of the days asked for, but {others:,} of others" if others else ""
        if summary.left_out:
            which += f"; source.where leaves out {summary.left_out:,}"
        raise EmptyLogError(f"the impression log has no rows{which}")
    read = summary.rows_in + summary.other_days
    rejects, rows = max(
        (summary.rejects - summary.undated, of_days),
        (summary.undated, read),
        key=lambda part: part[0] / part[1],
    )
    rate = rejects / rows
    if rate <= config.max_reject_rate:
        return
    worst = list(summary.by_reason.items())[:_WORST]
    reasons = "; ".join(f"{reason}: {count:,}" for reason, count in worst)
    where = f" See {rejects_path}." if rejects_path else ""
    raise RejectLimitExceeded(
        f"{rejects:,} of {rows:,} rows ({rate:.1%}) break the "
        f"impression-log contract; features.max_reject_rate allows "
        f"{config.max_reject_rate:.1%}. Most frequent: {reasons}.{where}"
    )


def add_counts(parts: Iterable[Counter[int]]) -> Counter[int]:
    """Rows of each day, or whatever else was counted, of all parts of a log."""
    total: Counter[int] = Counter()
    for part in parts:
        total.update(part)
    return total
