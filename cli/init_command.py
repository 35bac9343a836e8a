"""`poso init`: a first configuration for a log that nobody described."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.disk_errors import writing
from cli.options import NEW_FILE, data_option

if TYPE_CHECKING:
    from preprocessing.log_guess.guess import Guess


@click.command("init")
@data_option("Folder (or file) of the log, a path or a URI.")
@click.option(
    "--out",
    "config_file",
    type=NEW_FILE,
    help="The YAML file to write.  [default: the folder's name in this folder]",
)
@click.option(
    "--interactive", is_flag=True, help="Ask about what is not sure (on a terminal)."
)
@click.option("--force", is_flag=True, help="Replace an earlier file at --out.")
def command(
    data_dir: str, config_file: Path | None, interactive: bool, force: bool
) -> None:
    """Look at a log and write a first configuration for it.

    Reads a sample of the files, however large the log is, and guesses how they are
    written (by content, not by ending), which columns are the user, the item and the
    time, in which unit, what can be predicted, which further columns help and which
    would give the label away, and how to split. The YAML says for each line why; what
    is not sure stands there with its alternatives. Nothing is asked without
    --interactive.

    \b
    From a log to a model:
      poso init --data path/to/log --out mine.yaml
      poso check --config mine.yaml --data path/to/log
      poso run --config mine.yaml --data path/to/log --out runs/mine
    """
    name = run_name(data_dir)
    target = config_file or Path(f"{name}.yaml")
    if interactive and not on_terminal():
        raise click.UsageError(
            "--interactive asks on a terminal; standard input is none"
        )
    if target.exists() and not force:
        raise click.ClickException(
            f"{target} is there already: --force replaces it, --out names another file"
        )
    from cli.guess_table import print_guess
    from pipeline.config import load_config
    from preprocessing.log_guess.guess_log import guess_log
    from preprocessing.log_guess.yaml_text import yaml_text
    from preprocessing.storage.files import SourceError

    try:
        guess = guess_log(data_dir, _ask if interactive else None)
    except SourceError as error:
        raise click.ClickException(str(error)) from error
    text = yaml_text(guess, name, data_dir, str(target))
    with writing("--out", target):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    load_config(target)
    print_guess(guess)
    click.echo(f"\nwrote {target}; next:")
    click.echo(f"  poso check --config {target} --data {data_dir}")
    click.echo(f"  poso run --config {target} --data {data_dir} --out runs/{name}")


def on_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()


def run_name(data_dir: str) -> str:
    """A run's name by its log's folder: small letters, digits and hyphens."""
    last = re.split(r"[/\\]", str(Path(data_dir).name or data_dir).rstrip("/"))[-1]
    if last in ("", ".", ".."):
        last = Path(data_dir).resolve().name
    name = re.sub(r"[^a-z0-9]+", "-", last.split(".")[0].lower()).strip("-")
    if not name or not name[0].isalpha():
        name = f"log-{name}".rstrip("-")
    return name[:63]


def _ask(guess: Guess) -> Guess:
    """Asks which column it is that stands for a column of the contract."""
    from dataclasses import replace

    choices = [(guess.origin, guess.why), *guess.alternatives]
    click.echo(f"\nWhich column is {guess.name}?")
    for number, (origin, why) in enumerate(choices, 1):
        click.echo(f"  {number}  {_column_of(origin)}: {why}")
    number = click.prompt("Number", type=click.IntRange(1, len(choices)), default=1)
    origin, why = choices[number - 1]
    return replace(
        guess,
        origin=origin,
        column=_column_of(origin),
        why=f"chosen by you; {why}",
        sure=True,
        alternatives=(),
    )


def _column_of(origin: object) -> str:
    if isinstance(origin, dict):
        return str(origin.get("column") or origin.get("date"))
    return str(origin)
