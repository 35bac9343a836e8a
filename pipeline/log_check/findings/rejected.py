"""Rows that break the contract, and rows that are there twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding, Level, share_text
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.rejects import RejectReason

_MANY = 0.01  # of all rows, for one reason
_DUPLICATE = "equal to another row"
# What a reason says, and the setting that answers it; {column} is the reason's first word.
_ANSWERS = (
    ("looks like seconds", "source.columns: {{{column}: {{column: ..., unit: s}}}}"),
    (
        "looks like microseconds",
        "source.columns: {{{column}: {{column: ..., unit: us}}}}",
    ),
    (
        "looks like nanoseconds",
        "source.columns: {{{column}: {{column: ..., unit: ns}}}}",
    ),
    (
        "in the future",
        "look at the clocks that wrote these rows, or at the unit of event_time_ms; "
        "features.last_day sets the log's end",
    ),
    (
        "days after the log's other",
        "look at the clocks that wrote these rows; features.last_day sets another end",
    ),
    (
        "is not 0 or 1",
        "a label of grades takes features.labels.<name>.at_least, one of words "
        "source.columns: {{{column}: {{column: ..., equals: [...]}}}}",
    ),
    (
        "is negative",
        "if a negative number means that nothing is known, add it to "
        "source.null_values",
    ),
    (
        "is not a number",
        "is it the right column? Words for no value belong into source.null_values",
    ),
    ("notation that is read", "set source.list_separator, or leave the column out"),
    (
        "is missing",
        "if rows may lack it: a label takes features.labels.<name>.missing: mask; an id "
        "or a time they cannot lack",
    ),
    ("number of cells", "look at source.delimiter and source.quoting"),
    (
        "quote that is not closed",
        "set source.quoting: false if quotes enclose no cells",
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
            "The log has no rows.",
            "There is nothing to train on.",
            "Look at --data, at source.format and source.files.",
        )
    elif total > limit * numbers.rows_in:
        worst = numbers.rejects[0]
        yield Finding(
            "stop",
            "rejects",
            f"{total:,} of {numbers.rows_in:,} rows "
            f"({share_text(total, numbers.rows_in)}) break the contract, most often: "
            f"{worst.reason}.",
            f"features.max_reject_rate allows {limit:.1%}: a run stops.",
            _answer(worst),
        )
    for reason in numbers.rejects:
        share = reason.rows / numbers.rows_in
        if reason.reason.startswith(_DUPLICATE):
            yield _duplicates(reason, numbers.rows_in)
        elif total <= limit * numbers.rows_in or reason != numbers.rejects[0]:
            level: Level = "look" if share >= _MANY else "note"
            yield Finding(
                level,
                "rejects",
                f"{reason.rows:,} rows ({share_text(reason.rows, numbers.rows_in)}): "
                f"{reason.reason}.",
                "They are kept as rejects, and neither train nor count for a user.",
                _answer(reason),
            )


def _duplicates(reason: RejectReason, rows_in: int) -> Finding:
    many = reason.rows >= _MANY * rows_in
    return Finding(
        "look" if many else "note",
        "duplicates",
        f"{reason.rows:,} rows ({share_text(reason.rows, rows_in)}) are equal to another "
        "row.",
        "Of equal rows one is kept: a log that was written twice does no harm, but one "
        "that lacks the column that tells its rows apart loses impressions.",
        "Look at the three examples; a column that tells rows apart can be declared in "
        "features.extra with input: false.",
    )


def _answer(reason: RejectReason) -> str:
    column = re.split(r"\s", reason.reason, maxsplit=1)[0]
    for said, answer in _ANSWERS:
        if said in reason.reason:
            text = answer.format(column=column)
            return (
                text if text.startswith("source.") else f"{text[0].upper()}{text[1:]}."
            )
    return "Look at the examples below."
