"""The paired table of an experiment, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from experiments.paired import DIFFERENCES, MODELS, SliceSpreads, Spread

_TITLES = {"model": "POSO"}


def print_tables(
    console: Console,
    spreads: Sequence[SliceSpreads],
    gates: Mapping[str, Mapping[str, float]],
    seeds: int,
) -> None:
    """Prints GAUC, differences between the models, and what their gates have become."""
    slices = list(dict.fromkeys(row.slice for row in spreads))
    gauc = _table(f"GAUC, mean over {seeds} seeds ± standard deviation", slices)
    differences = _table(
        f"Differences in percentage points, mean over {seeds} seeds ± standard error",
        slices,
    )
    for task in dict.fromkeys(row.task for row in spreads):
        of_task = {row.slice: row for row in spreads if row.task == task}
        found = [of_task.get(name) for name in slices]
        for model in MODELS:
            cells = [_gauc(row.gauc[model]) if row else "-" for row in found]
            gauc.add_row(task, _TITLES.get(model, model), *cells)
        for pair in DIFFERENCES:
            title = " - ".join(_TITLES.get(name, name) for name in pair)
            cells = [_points(row.differences[pair]) if row else "-" for row in found]
            differences.add_row(task, title, *cells)
    console.print(gauc)
    console.print(differences)
    for model, numbers in gates.items():
        text = ", ".join(f"{n.replace('_', ' ')} {v:.3f}" for n, v in numbers.items())
        console.print(f"gates of {_TITLES.get(model, model)}, mean of all: {text}")


def _table(title: str, slices: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("task")
    table.add_column("", no_wrap=True)
    for name in slices:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _gauc(spread: Spread) -> str:
    return f"{spread.mean:.4f}{_plus_minus(spread.deviation, 4)}"


def _points(spread: Spread) -> str:
    return f"{spread.mean:+.2f}{_plus_minus(spread.standard_error, 2)}"


def _plus_minus(value: float | None, digits: int) -> str:
    return "" if value is None else f" ±{value:.{digits}f}"
