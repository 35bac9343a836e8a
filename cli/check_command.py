"""`poso check`: what a log is like, before anything is trained on it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cli.disk_errors import opening
from cli.options import (
    NEW_FILE,
    config_option,
    data_option,
    read_config,
    set_option,
)
from cli.out_folder import in_use_in_one_line


@click.command("check")
@config_option("YAML configuration, as poso run takes it.", required=True)
@data_option("Folder (or file) of the impression log, a path or a URI.")
@click.option("--json", "as_json", is_flag=True, help="Print all numbers as JSON.")
@click.option(
    "--html",
    "html_file",
    type=NEW_FILE,
    help="Also write the page, with plots, to this file.",
)
@set_option("features.utc_offset_hours=8")
@click.option(
    "--threads", type=click.IntRange(min=1), help="Threads.  [default: one per CPU]"
)
@click.pass_context
def command(
    context: click.Context,
    config_file: Path,
    data_dir: str,
    as_json: bool,
    html_file: Path | None,
    overrides: tuple[str, ...],
    threads: int | None,
) -> None:
    """Read a log once, train nothing, and say what speaks against it.

    First whether a run can use the log, and what to look at: what was seen, why it
    matters, what to set. Then the numbers: rejects with three rows of each reason,
    labels by user group, whom the evaluation could judge, how well each column ranks by
    itself, days, columns, lengths of histories, and what a run would cost.

    Computes what `poso features` computes, in threads, and keeps nothing; it needs room
    for it in the folder for temporary files (TMPDIR). The exit status is 1 where a run
    would stop, else 0.

    \b
    Examples:
      poso check --config my.yaml --data path/to/log
      poso check --config my.yaml --data path/to/log --html check.html
      poso check --config my.yaml --data path/to/log --json | jq .findings
    """
    from rich.console import Console

    from cli.check_page import print_page
    from cli.feature_progress import FeatureProgress
    from pipeline.log_check.check import check_log
    from pipeline.log_check.html_page import write_page

    config = read_config(config_file, overrides)
    progress = FeatureProgress(Console(stderr=True, highlight=False))
    try:
        with progress, in_use_in_one_line():
            found = check_log(config, data_dir, threads, progress.update)
        if html_file is not None:
            with opening("--html", html_file):
                write_page(found, html_file)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(found.as_dict(), ensure_ascii=False, indent=1))
    else:
        print_page(found)
    if found.verdict == "unusable":
        context.exit(1)
