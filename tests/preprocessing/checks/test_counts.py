from collections import Counter

import pytest

from preprocessing.checks.counts import (
    EmptyLogError,
    LogSummary,
    RejectLimitExceeded,
    check_rejects,
)
from preprocessing.contract.config import FeatureConfig

CONFIG = FeatureConfig(max_reject_rate=0.1)


def summarize(rows_in, examples, by_reason):
    return LogSummary.total([LogSummary(rows_in, examples, by_reason)]).checked()


def test_parts_add_up_in_any_grouping():
    parts = [
        LogSummary(rows_in=3),
        LogSummary(examples=1, last_event_ms=5),
        LogSummary(by_reason={"a": 1}),
        LogSummary(examples=0),
        LogSummary(rows_in=1, by_reason={"a": 1, "b": 1}, last_event_ms=2),
    ]
    whole = LogSummary(4, 1, {"a": 2, "b": 1}, 5)
    assert LogSummary.total(parts) == whole
    halves = [LogSummary.total(parts[:2]), LogSummary.total(parts[2:][::-1])]
    assert LogSummary.total(halves) == whole
    assert LogSummary.total([]) == LogSummary()
    assert whole.rejects == 3
    assert whole.checked() is whole


def test_reasons_are_ordered_by_count():
    summary = summarize(10, 4, Counter({"b": 1, "c": 4, "a": 1}))
    assert summary == LogSummary(10, 4, {"c": 4, "a": 1, "b": 1})
    assert summary.rejects == 6
    assert list(summary.by_reason) == ["c", "a", "b"]


def test_as_json_it_says_how_many_were_rejected():
    summary = summarize(4, 1, {"b": 1, "a": 2})
    assert summary.to_json() == (
        '{"rows_in": 4, "examples": 1, "rejects": 3, '
        '"by_reason": {"a": 2, "b": 1}, "last_event_ms": null, '
        '"other_days": 0, "undated": 0, "left_out": 0}'
    )
    assert LogSummary.from_json(summary.to_json()) == summary


def test_lost_rows_are_a_defect():
    with pytest.raises(RuntimeError, match="10 read, but 4 examples and 5 rejects"):
        summarize(10, 4, Counter({"a": 5}))


@pytest.mark.parametrize(
    ("by_reason", "undated", "message"),
    [
        ({"no time": 50}, 50, None),  # of 1,000 that were read
        ({"no time": 50, "no user": 11}, 50, "11 of 100 rows"),
        ({"no time": 200}, 200, "200 of 1,000 rows"),
    ],
)
def test_undated_rows_are_a_share_of_all_that_were_read(by_reason, undated, message):
    rejects = sum(by_reason.values())
    summary = LogSummary(
        rows_in=100 + undated,
        examples=100 + undated - rejects,
        by_reason=by_reason,
        other_days=900 - undated,
        undated=undated,
    )
    if message is None:
        check_rejects(summary, CONFIG)
    else:
        with pytest.raises(RejectLimitExceeded, match=message):
            check_rejects(summary, CONFIG)


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
