"""`poso clean`: removes what old runs of a folder have left."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import out_option

if TYPE_CHECKING:
    from pipeline.runners.old_runs import OldRuns
    from pipeline.runners.run_paths import RunPaths


@click.command("clean")
@out_option("Folder of the runs (the --out of poso run).", required=True)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    help="Days to keep, and versions in serving/.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be removed, no more.")
def command(out: Path, keep: int, dry_run: bool) -> None:
    """Remove artifacts of old runs, old pushed versions, abandoned checkpoints.

    The newest days stay, counted by runs that were finished (each run by itself where
    the log has no days). What is needed stays, too: the version that serves and as
    many before it as --keep says, the last blessed model, what the next day goes on
    from, and every report.

    A run that is going on keeps this from being done, and the other way round.

    \b
    Example:
      poso clean --out runs/daily --keep 7 --dry-run
    """
    from cli.pipeline_run import held
    from pipeline.runners.metadata_file import RunFolderError, check_records
    from pipeline.runners.old_runs import find_old_runs, remove_old_runs
    from pipeline.runners.run_paths import RunPaths
    from pipeline.runners.run_records import settle_records

    paths = RunPaths(out)
    try:
        check_records(paths.metadata)
        with ExitStack() as stack:
            if not dry_run:
                stack.enter_context(held(paths))
                for note in settle_records(paths):
                    click.echo(f"note: {note}")
            old = find_old_runs(paths, keep)
            _say(paths, old, dry_run)
            if not dry_run and old.folders:
                remove_old_runs(paths, old)
    except (FileNotFoundError, RunFolderError) as error:
        raise click.ClickException(str(error)) from error


def _say(paths: RunPaths, old: OldRuns, dry_run: bool) -> None:
    if not old.folders:
        click.echo("nothing to remove")
        return
    verb = "would remove" if dry_run else "removes"
    if old.artifacts:
        places = [p.relative_to(paths.pipeline_root).parts for p in old.artifacts]
        # Beside outputs there are folders of TFX's own, which say nothing to anyone.
        counts = Counter(parts[0] for parts in places if parts[1] != ".system")
        names = ", ".join(f"{name} {count}" for name, count in counts.items())
        runs = f"{len(old.runs)} run{'s' if len(old.runs) != 1 else ''}"
        days = sorted({run.day for run in old.runs if run.day})
        of = f" ({days[0]} to {days[-1]})" if days else ""
        click.echo(f"{verb} artifacts of {runs}{of}: {names}")
    for kind, folders in (
        ("pushed versions", old.versions),
        ("checkpoints of unfinished trainings", old.checkpoints),
    ):
        if folders:
            names = ", ".join(folder.name for folder in folders)
            click.echo(f"{verb} {kind}: {names}")
    click.echo(f"{old.size / 1e6:,.1f} MB in {len(old.folders)} folders")
