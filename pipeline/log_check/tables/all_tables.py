"""All tables of a check, the most asked for first."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.log_check.check import LogCheck
from pipeline.log_check.tables.contents import (
    columns_table,
    lengths_table,
    most_seen_table,
)
from pipeline.log_check.tables.cost import cost_table
from pipeline.log_check.tables.days import days_table
from pipeline.log_check.tables.learning import (
    groups_table,
    judged_table,
    single_columns_table,
)
from pipeline.log_check.tables.number_table import NumberTable


def number_tables(found: LogCheck) -> Iterator[NumberTable]:
    """The tables of a check; none of a log without examples."""
    numbers = found.numbers
    if not numbers.examples:
        return
    yield groups_table(numbers)
    if numbers.split.slices:
        yield judged_table(found)
    yield single_columns_table(numbers)
    yield days_table(found)
    yield columns_table(numbers)
    yield lengths_table(numbers)
    yield most_seen_table(numbers)
    if not numbers.split.problem:
        yield cost_table(found)
