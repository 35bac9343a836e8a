from collections import Counter

import pytest

from preprocessing.checks.counts import (
    EmptyLogError,
    LogSummary,
    RejectLimitExceeded,
    Tally,
    check_rejects,
)
from preprocessing.contract.config import FeatureConfig

CONFIG = FeatureConfig(max_reject_rate=0.1)


def summarize(rows_in, examples, by_reason):
    return Tally(rows_in, examples, by_reason).summary()


def test_parts_add_up_in_any_grouping():
    parts = [
        Tally(rows_in=3),
        Tally(examples=1, last_event_ms=5),
        Tally(by_reason=Counter(a=1)),
        Tally(examples=0),
        Tally(rows_in=1, by_reason=Counter(a=1, b=1), last_event_ms=2),
    ]
    whole = Tally(4, 1, Counter(a=2, b=1), 5)
    assert Tally.total(parts) == whole
    halves = [Tally.total(parts[:2]), Tally.total(parts[2:][::-1])]
    assert Tally.total(halves) == whole
    assert Tally.total([]) == Tally()
    assert whole.summary() == LogSummary(4, 1, 3, {"a": 2, "b": 1}, 5)


def test_reasons_are_ordered_by_count():
    summary = summarize(10, 4, Counter({"b": 1, "c": 4, "a": 1}))
    assert summary == LogSummary(10, 4, 6, {"c": 4, "a": 1, "b": 1})
    assert list(summary.by_reason) == ["c", "a", "b"]
    assert LogSummary.from_json(summary.to_json()) == summary


def test_lost_rows_are_a_defect():
    with pytest.raises(RuntimeError, match="10 read, but 4 examples and 5 rejects"):
        summarize(10, 4, Counter({"a": 5}))


def test_the_limit_itself_passes():
    check_rejects(summarize(10, 9, Counter({"a": 1})), CONFIG)


def test_above_the_limit_the_worst_reasons_are_named():
    reasons = Counter({f"reason {i}": i for i in range(1, 8)})
    with pytest.raises(RejectLimitExceeded) as caught:
        check_rejects(summarize(100, 72, reasons), CONFIG, "out/rejects")
    message = str(caught.value)
    for part in ("28 of 100", "28.0%", "10.0%", "reason 7: 7", "See out/rejects"):
        assert part in message
    assert "reason 1:" not in message


def test_an_empty_log_is_an_error():
    with pytest.raises(EmptyLogError, match="no rows"):
        check_rejects(summarize(0, 0, Counter()), CONFIG)
