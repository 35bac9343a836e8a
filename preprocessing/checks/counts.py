"""What became of a log's rows, in numbers, and whether that is good enough."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.contract.column_names import EVENT_TIME
from preprocessing.contract.config import FeatureConfig

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


@dataclass(frozen=True)
class Tally:
    """Counts of a part of a run; those of all parts add up to its `LogSummary`.

    Attributes:
        rows_in: Rows read.
        examples: Rows of the feature table.
        by_reason: Rejects by reason.
        last_event_ms: Time of the latest example; None without one.
    """

    rows_in: int = 0
    examples: int = 0
    by_reason: Counter[str] = field(default_factory=Counter)
    last_event_ms: int | None = None

    @classmethod
    def of_examples(cls, features: pa.Table) -> Tally:
        """Counts a part of the feature table."""
        latest = pc.max(features[EVENT_TIME]).as_py()
        return cls(examples=features.num_rows, last_event_ms=latest)

    @classmethod
    def of_rejects(cls, rejects: pa.Table, rows_in: int = 0) -> Tally:
        """Counts rejects, and the rows of the input that they were found in."""
        return cls(rows_in=rows_in, by_reason=count_reasons(rejects))

    @classmethod
    def total(cls, parts: Iterable[Tally]) -> Tally:
        """Adds up parts, in any order and grouping."""
        rows_in, examples, latest = 0, 0, None
        by_reason: Counter[str] = Counter()
        for part in parts:
            rows_in += part.rows_in
            examples += part.examples
            by_reason.update(part.by_reason)
            times = (latest, part.last_event_ms)
            latest = max((time for time in times if time is not None), default=None)
        return cls(rows_in, examples, by_reason, latest)

    def summary(self) -> LogSummary:
        """The counts of a whole run.

        Raises:
            RuntimeError: Rows were lost or doubled on the way, which is a defect.
        """
        rejects = sum(self.by_reason.values())
        if self.rows_in != self.examples + rejects:
            raise RuntimeError(
                f"rows do not add up: {self.rows_in} read, but {self.examples} "
                f"examples and {rejects} rejects"
            )
        ordered = sorted(self.by_reason.items(), key=lambda item: (-item[1], item[0]))
        return LogSummary(
            self.rows_in, self.examples, rejects, dict(ordered), self.last_event_ms
        )


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
