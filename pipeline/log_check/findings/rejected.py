"""Rows that break the contract, and rows that are there twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding, share_text
from pipeline.log_check.findings.setting import column_of, column_setting
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.rejects import RejectReason
from preprocessing.contract.column_names import REQUIRED_COLUMNS

_MANY = 0.01  # of all rows, for one reason
_DUPLICATE = "equal to another row"
# What a time looks like, by the words of `checks.times` and of mapped columns.
_LOOKS_LIKE = re.compile(
    r"looks like (seconds|milliseconds|microseconds|nanoseconds|s|ms|us|ns)\b"
)
_SHORT = {"seconds": "s", "milliseconds": "ms", "microseconds": "us"}
_SHORT |= {"nanoseconds": "ns"}
_ANSWERS = (
    (
        "in the future",
        "Look at the clocks that wrote these rows, or at the unit of event_time_ms; "
        "features.last_day sets the log's end.",
    ),
    (
        "days after the log's other",
        "Look at the clocks that wrote these rows; features.last_day sets another end.",
    ),
    (
        "is negative",
        "If a negative number means that nothing is known, name it in "
        "source.null_values (of text files).",
    ),
    (
        "is not a number",
        "Is it the right column? Words for no value belong into source.null_values.",
    ),
    ("notation that is read", "Set source.list_separator, or leave the column out."),
    ("number of cells", "Look at source.delimiter and source.quoting."),
    (
        "quote that is not closed",
        "Set source.quoting: false if quotes enclose nothing.",
    ),
)


def rejected(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """What the rejects speak against."""
    total = sum(reason.rows for reason in numbers.rejects)
    limit = config.features.max_reject_rate
    if not numbers.rows_in:
        yield Finding(
            "stop",
            "rows",
            "The log has no rows"
            + (
                f"; source.where leaves out {numbers.left_out:,}."
                if numbers.left_out
                else "."
            ),
            "There is nothing to train on.",
            "Look at --data, source.format, source.files and source.where.",
        )
        return
    reasons = list(numbers.rejects)
    if total > limit * numbers.rows_in:
        worst = reasons.pop(0)
        yield Finding(
            "stop",
            "rejects",
            f"{total:,} of {numbers.rows_in:,} rows "
            f"({share_text(total, numbers.rows_in)}) break the contract, most often: "
            f"{worst.reason}.",
            f"features.max_reject_rate allows {limit:.1%}: a run stops.",
            _answer(config, worst),
        )
    many = [reason for reason in reasons if reason.rows >= _MANY * numbers.rows_in]
    for reason in many:
        yield _of_many(config, reason, numbers.rows_in)
    few = sum(reason.rows for reason in reasons[len(many) :])
    if few:
        yield Finding(
            "note",
            "rejects",
            f"{few:,} rows ({share_text(few, numbers.rows_in)}) break the contract for "
            "reasons that few rows have.",
            "They are kept as rejects, and neither train nor count for a user.",
            "Look at the table of rejects.",
        )


def _of_many(config: RunConfig, reason: RejectReason, rows_in: int) -> Finding:
    share = share_text(reason.rows, rows_in)
    if reason.reason.startswith(_DUPLICATE):
        return Finding(
            "look",
            "duplicates",
            f"{reason.rows:,} rows ({share}) are equal to another row.",
            "Of equal rows one is kept: a log that was written twice does no harm, but "
            "one that lacks the column that tells its rows apart loses impressions.",
            _answer(config, reason),
        )
    return Finding(
        "look",
        "rejects",
        f"{reason.rows:,} rows ({share}) break the contract: {reason.reason}.",
        "They are kept as rejects, and neither train nor count for a user.",
        _answer(config, reason),
    )


def _answer(config: RunConfig, reason: RejectReason) -> str:
    said = reason.reason
    if said.startswith(_DUPLICATE):
        return (
            "Look at the examples; a column that tells rows apart can be declared in "
            "features.extra, with input: false."
        )
    column = said.split(" ", 1)[0].rstrip(":")
    looks_like = _LOOKS_LIKE.search(said)
    if looks_like:
        unit = looks_like.group(1)
        return column_setting(config, column, f"unit: {_SHORT.get(unit, unit)}")
    if "is not 0 or 1" in said:
        words = column_setting(config, column, "equals: [...]")
        return f"Grades take features.labels.<name>.at_least, words {words}"
    if said.endswith("is missing") and column in REQUIRED_COLUMNS:
        return (
            f"No row can lack it. Is '{column_of(config, column)}' the right column? "
            "source.where can leave such rows out."
        )
    if said.endswith("is missing"):
        return "If rows may lack it, set features.labels.<name>.missing: mask."
    answers = [answer for words, answer in _ANSWERS if words in said]
    return answers[0] if answers else "Look at the examples."
