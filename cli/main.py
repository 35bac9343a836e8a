"""Entry point of `poso`: finds subcommands by name and imports the one asked for."""

from __future__ import annotations

import errno
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

from cli.lazy_group import LazyGroup

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
    "init": "Look at a log and write a first configuration for it.",
    "check": "Say what speaks against a log, before anything is trained on it.",
    "features": "Build the feature table of a log, outside any pipeline.",
    "run": "Run the pipeline on an impression log, on this machine.",
    "backfill": "Run the pipeline for each of some days, one after the other.",
    "status": "Show the runs of a folder, and what serves.",
    "clean": "Remove what old runs of a folder have left.",
    "train-worker": "Take part in a training that runs on several machines.",
    "compile": "Compile the pipeline for Kubeflow Pipelines or Vertex AI.",
    "serve": "Serve a pushed model over gRPC and REST.",
    "rank": "Rank candidates for a user with a running server.",
    "experiment": "Find out what a model is worth, such as beside boosted trees.",
    "users": "Keep what is known of users, for ranking by id.",
}


class _Poso(LazyGroup):
    """All commands; none is imported but the one that is used."""

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


@click.group(
    cls=_Poso,
    summaries=COMMANDS,
    module="cli.{name}_command",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="poso")
def main() -> None:
    """Rankers for feeds with a cold-start problem (POSO).

    From an impression log to a multi-task ranking model, evaluated by GAUC per user
    group and served over gRPC and REST. Start with `poso demo`.
    """


if __name__ == "__main__":
    main(prog_name="poso")
