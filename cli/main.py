"""Entry point of `poso`: finds subcommands by name and imports the one asked for."""

from __future__ import annotations

import errno
import importlib
import os
import sys
import warnings

try:
    import click
except ImportError as error:  # packages that were installed without dependencies
    raise SystemExit(
        "the poso command needs click: from a checkout of the project, "
        "pip install . './application[pipeline,serving]'"
    ) from error

# TensorFlow's notes on its build and the pinned libraries' on their age help no user
# of a command. Errors still show, and a run's log file holds the rest.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
if any(option.startswith("error") for option in sys.warnoptions):
    # Meant for a program under test: here it would stop at a library's first note.
    warnings.resetwarnings()
    for kind in (DeprecationWarning, PendingDeprecationWarning, ResourceWarning):
        warnings.simplefilter("ignore", kind)
    os.environ.pop("PYTHONWARNINGS", None)
warnings.filterwarnings("ignore", category=FutureWarning, module=r"google\.")

COMMANDS = {
    "demo": "Simulate, run, serve and rank: the whole pipeline in minutes.",
    "simulate": "Write a simulated impression log.",
    "fetch": "Write the rows of a database's query as a log.",
    "features": "Build the feature table of a log, outside any pipeline.",
    "run": "Run the pipeline on an impression log, on this machine.",
    "backfill": "Run the pipeline for each of some days, one after the other.",
    "status": "Show the runs of a folder, and what serves.",
    "clean": "Remove what old runs of a folder have left.",
    "train-worker": "Take part in a training that runs on several machines.",
    "compile": "Compile the pipeline for Kubeflow Pipelines or Vertex AI.",
    "serve": "Serve a pushed model over gRPC and REST.",
    "rank": "Rank candidates for a user with a running server.",
    "users": "Keep what is known of users, for ranking by id.",
}


class _LazyGroup(click.Group):
    """Imports `cli.<name>_command` only when that subcommand is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"cli.{name.replace('-', '_')}_command").command

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; what the system refuses is one line, not a traceback."""
        if sys.flags.optimize > 1:
            raise click.ClickException(
                "TensorFlow cannot be imported without docstrings: unset "
                "PYTHONOPTIMIZE, or leave out -OO"
            )
        try:
            os.getcwd()
        except OSError as error:
            raise click.ClickException(
                "the folder that this command was started in is gone: change to another"
            ) from error
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            raise click.ClickException(str(error)) from error

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="poso")
def main() -> None:
    """Rankers for feeds with a cold-start problem (POSO).

    From an impression log to a multi-task ranking model, evaluated by GAUC per user
    group and served over gRPC and REST. Start with `poso demo`.
    """


if __name__ == "__main__":
    main(prog_name="poso")
