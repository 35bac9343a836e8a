"""What a benchmark found, beside what was aimed at: as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.interleaved import Spread


@dataclass(frozen=True)
class Row:
    """One ratio.

    Attributes:
        name: what was compared.
        ratio: the ratio; one without repeats (FLOPs, bytes) has no spread.
        target: the number aimed at; None if the row is there for information.
        at_least: whether the ratio should be at least the target, else at most.
        values: what the ratio was made of, written out, by contestant.
    """

    name: str
    ratio: Spread
    target: float | None = None
    at_least: bool = True
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the target is met by the median; None without a target."""
        if self.target is None:
            return None
        if self.at_least:
            return self.ratio.median >= self.target
        return self.ratio.median <= self.target


@dataclass(frozen=True)
class Report:
    """The ratios of one script.

    Attributes:
        title: the claim in a few words.
        rows: the ratios.
        notes: what a reader must know to judge them.
        environment: versions, threads, processor; see `environment`.
    """

    title: str
    rows: list[Row]
    notes: list[str]
    environment: dict[str, Any]

    def write(self, path: Path) -> None:
        """Writes the report as JSON, each row with its verdict."""
        content = asdict(self)
        for row, written in zip(self.rows, content["rows"], strict=True):
            written["met"] = row.met
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Report:
        """Reads what `write` wrote."""
        content = json.loads(path.read_text(encoding="utf-8"))
        for row in content["rows"]:
            del row["met"]
        rows = [
            Row(**{**row, "ratio": Spread(**row["ratio"])}) for row in content["rows"]
        ]
        return cls(**{**content, "rows": rows})


def number_row(
    name: str, ratio: float, target: float | None = None, **options: Any
) -> Row:
    """Returns the row of a ratio that is counted, not timed."""
    return Row(name, Spread(ratio, ratio, ratio), target, **options)


def milliseconds(seconds: float) -> str:
    """Writes a time."""
    return f"{1e3 * seconds:,.2f} ms"


def print_report(report: Report, console: Console) -> None:
    """Prints the table, the notes and the environment."""
    table = Table(title=report.title, title_justify="left", title_style="bold")
    table.add_column("what")
    table.add_column("contestants")
    table.add_column("ratio", justify="right")
    table.add_column("quartiles", justify="right")
    table.add_column("target", justify="right")
    table.add_column("met")
    for row in report.rows:
        table.add_row(*_cells(row))
    console.print(table)
    for note in report.notes:
        console.print(f"- {note}", highlight=False)
    console.print(
        ", ".join(f"{name} {value}" for name, value in report.environment.items()),
        style="dim",
        highlight=False,
    )
    console.print()


def _cells(row: Row) -> list[str]:
    ratio, spread = row.ratio, ""
    digits = 3 if ratio.median < 2 else 2 if ratio.median < 20 else 0
    if ratio.low != ratio.high:
        spread = f"{ratio.low:,.{digits}f} to {ratio.high:,.{digits}f}"
    target = ""
    if row.target is not None:
        target = f"{'≥' if row.at_least else '≤'} {row.target:g}"
    return [
        row.name,
        ", ".join(f"{name} {value}" for name, value in row.values.items()),
        f"{ratio.median:,.{digits}f}",
        spread,
        target,
        {None: "", True: "yes", False: "MISSED"}[row.met],
    ]
