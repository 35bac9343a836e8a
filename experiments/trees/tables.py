"""The comparison with trees, on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from experiments.trees.comparison import Yardstick
from experiments.trees.slices import LIGHTGBM, ComparedSlice
from pipeline.evaluation.rankings import MODEL, baselines_of, model_title, points

_SHOWN_FEATURES = 8


def print_yardstick(console: Console, found: Yardstick, min_scored_users: int) -> None:
    """Prints GAUC and AUC by task and slice, and what the trees use most.

    Args:
        console: Where to.
        found: The comparison.
        min_scored_users: Slices with fewer users who can be scored are dimmed.
    """
    for title, name in (("GAUC", "gauc"), ("AUC", "auc")):
        console.print(_table(title, name, found.table, min_scored_users))
        console.print()
    for task, trees in found.trees.trees.items():
        used = [
            f"{name} {share:.0%}"
            for name, share in list(trees.gains.items())[:_SHOWN_FEATURES]
        ]
        line = f"{task}, {trees.rounds} trees, by gain: {', '.join(used) or 'nothing'}"
        console.print(line, markup=False, soft_wrap=True)
    if found.trees.left_out:
        values = found.trees.left_out.items()
        left_out = (f"{name} ({n:,} values)" for name, n in values)
        console.print(
            f"not seen by the trees: {', '.join(left_out)}",
            markup=False,
            soft_wrap=True,
        )
    for note in found.trees.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)


def _table(
    title: str, name: str, rows: Sequence[ComparedSlice], min_scored_users: int
) -> Table:
    rankings = list(dict.fromkeys(r for row in rows for r in getattr(row, name)))
    model = model_title(rankings)
    shown = [*baselines_of(rankings), *(r for r in (MODEL,) if r in rankings), LIGHTGBM]
    titles = {MODEL: model, LIGHTGBM: "LightGBM"}
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("task", "slice"):
        table.add_column(heading, no_wrap=True)
    for heading in ("impressions", "users", *(titles.get(r, r) for r in shown)):
        table.add_column(heading, justify="right", no_wrap=True)
    if MODEL in rankings:
        table.add_column(f"{model} - LightGBM, pp", justify="right", no_wrap=True)
    for row in rows:
        values: Mapping[str, float | None] = getattr(row, name)
        cells = [_value(values.get(ranking)) for ranking in shown]
        if MODEL in rankings:
            cells.append(_points(points(values, LIGHTGBM)))
        table.add_row(
            row.task,
            row.slice,
            f"{row.impressions:,}",
            f"{row.users_scored:,}",
            *cells,
            style="dim" if row.users_scored < min_scored_users else None,
        )
    return table


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _points(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"
