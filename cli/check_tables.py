"""The tables of `poso check`: what its page and the terminal show alike."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from pipeline.log_check.check import LogCheck
from pipeline.log_check.tables.all_tables import number_tables
from pipeline.log_check.tables.number_table import NumberTable


def tables(found: LogCheck) -> Iterator[tuple[str, Table, str]]:
    """The tables of a check for a terminal: titles, tables, what to know of each."""
    for each in number_tables(found):
        yield each.title, _table(each), each.note


def _table(of: NumberTable) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(of.columns):
        right = place not in of.texts
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in of.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
