"""What became of a log's rows, in numbers, and whether that is good enough."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.column_names import EVENT_TIME
from preprocessing.config import FeatureConfig

_WORST = 5


class EmptyLogError(ValueError):
    """A log without a single row."""


class RejectLimitExceeded(ValueError):
    """More rows were rejected than `max_reject_rate` allows."""


@dataclass(frozen=True)
class LogSummary:
    """Counts of a run of the feature engine; `rows_in = examples + rejects`.

    Attributes:
        rows_in: Rows in the input files, unreadable lines included.
        examples: Rows of the feature table.
        rejects: Rows that broke the contract.
        by_reason: Rejects by reason, the most frequent first.
        last_event_ms: Time of the latest example; None without one.
    """

    rows_in: int
    examples: int
    rejects: int
    by_reason: dict[str, int] = field(default_factory=dict)
    last_event_ms: int | None = None

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> LogSummary:
        """Reads what `to_json` wrote."""
        return cls(**json.loads(text))


def count_reasons(rejects: pa.Table) -> Counter[str]:
    """Rejects by reason."""
    counts = pc.value_counts(rejects["reason"])
    return Counter({c["values"]: c["counts"] for c in counts.to_pylist()})


def latest_event(table: pa.Table) -> int | None:
    """The latest `event_time_ms` of a table; None where it has no rows."""
    return pc.max(table[EVENT_TIME]).as_py()


def summarize(
    rows_in: int,
    examples: int,
    by_reason: Counter[str],
    last_event_ms: int | None = None,
) -> LogSummary:
    """Adds up a run's counts.

    Raises:
        RuntimeError: Rows were lost or doubled on the way, which is a defect.
    """
    rejects = sum(by_reason.values())
    if rows_in != examples + rejects:
        raise RuntimeError(
            f"rows do not add up: {rows_in} read, but {examples} examples and "
            f"{rejects} rejects"
        )
    ordered = sorted(by_reason.items(), key=lambda item: (-item[1], item[0]))
    return LogSummary(rows_in, examples, rejects, dict(ordered), last_event_ms)


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
            the most frequent reasons.
    """
    if not summary.rows_in:
        raise EmptyLogError("the impression log has no rows")
    rate = summary.rejects / summary.rows_in
    if rate <= config.max_reject_rate:
        return
    worst = list(summary.by_reason.items())[:_WORST]
    reasons = "; ".join(f"{reason}: {count:,}" for reason, count in worst)
    where = f" See {rejects_path}." if rejects_path else ""
    raise RejectLimitExceeded(
        f"{summary.rejects:,} of {summary.rows_in:,} rows ({rate:.1%}) break the "
        f"impression-log contract; features.max_reject_rate allows "
        f"{config.max_reject_rate:.1%}. Most frequent: {reasons}.{where}"
    )
