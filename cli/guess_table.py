"""What `poso init` guessed, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from preprocessing.log_guess.guess import LogGuess
from preprocessing.log_guess.yaml_text import flow

_PLAIN_WIDTH = 110


def print_guess(guess: LogGuess) -> None:
    """Prints a table of all guesses with their reasons, and what to know of them."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    settings = ", ".join(f"{key} {flow(value)}" for key, value in guess.source.items())
    console.print(f"seen: {guess.sampled}", markup=False)
    console.print(settings, markup=False)
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for title in ("what", "from", "", "why"):
        table.add_column(title, overflow="fold")
    for column in guess.columns:
        table.add_row(column.name, flow(column.origin), _mark(column.sure), column.why)
    for label in guess.labels:
        table.add_row(
            f"label {label.name}", flow(label.label), _mark(label.sure), label.why
        )
    for extra in guess.extras:
        kind = f"{extra.entity}, {extra.type}"
        table.add_row(f"feature {extra.name}", kind, "", extra.why)
    for name, why in guess.left_out:
        table.add_row(f"not {name}", "", "", why)
    split = flow(dict(guess.split))
    table.add_row("split", split, _mark(guess.split_sure), guess.split_why)
    console.print(table, markup=False)
    for note in guess.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)


def _mark(sure: bool) -> str:
    return "" if sure else "unsure"
