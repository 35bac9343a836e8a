"""Runs the pipeline with progress on the terminal and prints its results."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from cli.console import ComponentProgress, display_path, library_output_to
from cli.disk_errors import opening
from cli.out_folder import held_folder, in_use_in_one_line
from pipeline.config import RunConfig
from pipeline.evaluation.rankings import (
    CONTROL,
    MODEL,
    PLAIN,
    POPULARITY,
    baselines_of,
    model_title,
    points,
)
from pipeline.runners.finished_runs import (
    RunRequest,
    note_finished,
    state_of_inputs,
    state_of_serving_logs,
    when_finished,
)
from pipeline.runners.metadata_file import RunFolderError
from pipeline.runners.run_folder import check_run_folder
from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_records import note_made_files, settle_records
from pipeline.runners.run_result import newest_outputs, read_result
from preprocessing.storage.files import is_remote, local_path

_LEGEND = {
    PLAIN: "the same model without gates",
    CONTROL: "the same gates, fed a constant code; - control is personalization",
    POPULARITY: "the video's past rate",
}


def run_and_print(
    config: RunConfig,
    data_dir: Path,
    paths: RunPaths,
    log_state: str | None = None,
    day: datetime.date | None = None,
    input_options: Mapping[str, Any] | None = None,
    until: str = "",
    again_from: str = "",
) -> Any:
    """Runs the pipeline, prints the GAUC table and the places of its outputs.

    Args:
        config: The run's configuration.
        data_dir: Folder (or file) of the impression log.
        paths: Where the run goes.
        log_state: Changes when the log does (`input_state`); None looks at its files.
        day: The day to evaluate on, after what was run of the days before it; None for
            what the configuration says.
        input_options: Further arguments of `ImpressionExampleGen`.
        until: The last component to run; empty for all.
        again_from: The component that runs again with what follows; empty for none.

    Returns:
        The `RunResult`; None of a run that ended before the report.

    Raises:
        click.ClickException: The log or the run's folder cannot be used, or a
            component failed.
    """
    options = dict(input_options or {})
    if "state_dir" in options and not is_remote(options["state_dir"]):
        options["state_dir"] = local_path(options["state_dir"])
    notes = _check_input(config, data_dir, options)
    with (
        held(paths),
        _shared(paths.out, str(data_dir), options.get("state_dir")),
        library_output_to(paths.log) as console,
    ):
        of_day = "" if day is None else f" {day}"
        console.print(f"{config.name}{of_day}: {data_dir} -> {paths.out}")
        for note in notes:
            console.print(f"note: {note}", markup=False, soft_wrap=True)
        for note in settle_records(paths):
            console.print(f"note: {note}", markup=False, soft_wrap=True)
        state = state_of_inputs(config, data_dir, log_state, options)
        logs = _serving_logs(config)
        request = RunRequest(config, data_dir, state, day, options, until, logs)
        finished = None if again_from else when_finished(paths, request)
        if finished is None:
            _run(console, request, paths, again_from)
        else:
            console.print(
                "nothing has changed since the run that ended at "
                f"{finished:%Y-%m-%d %H:%M} UTC; --from NAME runs a component again"
            )
        if not request.to_its_end:
            _print_outputs(console, newest_outputs(paths.metadata))
            return None
        result = read_result(paths)
        print_metrics(console, result.metrics)
        _print_places(console, result, paths)
    return result


def _run(
    console: Console, request: RunRequest, paths: RunPaths, again_from: str
) -> None:
    """Runs the pipeline, and writes the sample requests."""
    console.print("starting TensorFlow, Beam and TFX ...", style="dim")
    from pipeline.runners.local import local_pipeline, run_locally
    from pipeline.validation.rank_requests import write_requests

    pipeline = local_pipeline(request, paths)
    progress = ComponentProgress(console, len(pipeline.components))
    with progress.listening():
        run_locally(pipeline, request.config, again_from)
    note_made_files(paths)
    if request.to_its_end:
        result = read_result(paths)
        write_requests(request.config, str(result.eval_dir), paths.requests)
        # What was wrong may have been the machine: the trial is run again.
        if not result.metrics["serving_trial"].get("passed", True):
            return
    note_finished(paths, request)


@contextmanager
def held(paths: RunPaths) -> Iterator[None]:
    """Holds a run's folder, so that no second run writes to it.

    Raises:
        click.ClickException: It is held already, cannot be written to, or holds what no
            run has made where a run's files go.
    """
    with opening("--out", paths.out):
        try:
            check_run_folder(paths)
        except RunFolderError as error:
            raise click.ClickException(str(error)) from error
    with held_folder("--out", paths.out):
        yield


@contextmanager
def _shared(held: Path, *read: str | None) -> Iterator[None]:
    """Keeps other commands from replacing the log while it is read."""
    from preprocessing.engine.output_folder import shared_inputs

    with in_use_in_one_line(), shared_inputs(*read, held=str(held)):
        yield


def _check_input(
    config: RunConfig, data_dir: Path, options: Mapping[str, Any]
) -> list[str]:
    """Finds a log, feature table or state that cannot be used, before TensorFlow.

    Returns:
        Lines on what is not used of it.
    """
    from preprocessing.engine.feature_table import open_feature_table
    from preprocessing.state.files import open_state

    notes = []
    try:
        if options.get("of_features"):
            open_feature_table(str(data_dir), config.features)
            return []
        if state_dir := options.get("state_dir"):
            state = open_state(state_dir, config.features, checked=False)
            notes += [*state.info.notes(config.features), *state.warnings]
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    return [*_check_source(config, data_dir), *notes]


def _check_source(config: RunConfig, data_dir: Path) -> list[str]:
    """Finds a wrong folder or file before TensorFlow and TFX take half a minute.

    Returns:
        Lines on the files and on the columns that are not used.
    """
    from preprocessing.sources import open_source
    from preprocessing.sources.computed_columns import computed_column_notes
    from preprocessing.sources.input_files import input_files
    from preprocessing.storage.files import SourceError

    log = (config.source, config.features, str(data_dir))
    try:
        open_source(*log).parts()
        notes = [input_files(*log).note, *computed_column_notes(*log)]
    except SourceError as error:
        raise click.ClickException(str(error)) from error
    return [note for note in notes if note]


def _serving_logs(config: RunConfig) -> str:
    from preprocessing.storage.files import SourceError

    try:
        return state_of_serving_logs(config)
    except SourceError as error:
        raise click.ClickException(f"drift.serving.logs: {error}") from error


def _print_outputs(console: Console, outputs: Mapping[str, Mapping[str, str]]) -> None:
    """Prints where the artifacts of a run are that ended early."""
    console.print()
    for component, made in outputs.items():
        for name, place in made.items():
            line = f"{component} {name}: {display_path(Path(place))}"
            console.print(line, markup=False, soft_wrap=True)


def print_metrics(console: Console, metrics: dict[str, Any]) -> None:
    """Prints rows in and out, and the GAUC table."""
    data = metrics["data"]
    console.print(
        f"\n{data['rows_in']:,} rows in = {data['examples']:,} examples + "
        f"{data['rejects']:,} rejects; trained on {metrics['train_impressions']:,}, "
        f"evaluated on {metrics['eval_impressions']:,}"
    )
    if data.get("left_out"):
        console.print(f"  left out {data['left_out']:,}: source.where")
    for reason, count in data["by_reason"].items():
        line = f"  rejected {count:,}: {reason}"
        console.print(line, markup=False, soft_wrap=True)
    for line in (*data["warnings"], *metrics["anomalies"], *metrics["notes"]):
        console.print(f"  note: {line}", markup=False, soft_wrap=True)
    for line in metrics["serving_trial"].get("problems", ()):
        console.print(f"  not pushed: {line}", markup=False)
    console.print()
    console.print(_gauc_table(metrics["gauc"], metrics["min_scored_users"]))
    rankings = {name for row in metrics["gauc"] for name in row["gauc"]}
    legend = [f"{name}: {_LEGEND[name]}. " for name in _LEGEND if name in rankings]
    differences = "Differences are in percentage points. "
    console.print(
        f"[dim]{''.join(legend)}{differences if baselines_of(rankings) else ''}"
        "users: those with both labels; others have no AUC. Slices of fewer than "
        f"{metrics['min_scored_users']} users are noise.[/dim]"
    )


def _gauc_table(rows: list[dict[str, Any]], min_scored_users: int) -> Table:
    baselines = baselines_of(rows[0]["gauc"])
    table = Table(title="GAUC", title_justify="left", box=None, pad_edge=False)
    table.add_column("task", overflow="fold")  # the numbers are to be seen whole
    table.add_column("slice", no_wrap=True)
    numbers = ["impressions", "users", *baselines, model_title(baselines)]
    numbers += [f"- {name}" for name in baselines]
    for name in [*numbers, POPULARITY]:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        gauc = row["gauc"]
        few = row["users_scored"] < min_scored_users
        table.add_row(
            row["task"] if row["slice"] == "all" else "",
            row["slice"],
            f"{row['impressions']:,}",
            f"{row['users_scored']:,}",
            *(_value(gauc[name]) for name in (*baselines, MODEL)),
            *(_difference(points(gauc, name)) for name in baselines),
            _value(gauc.get(POPULARITY)),
            style="dim" if few else None,
        )
    return table


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _difference(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"


def _print_places(console: Console, result: Any, paths: RunPaths) -> None:
    blessed = result.metrics["blessed"]
    trial = result.metrics["serving_trial"]
    pushed = str(result.pushed) if result.pushed else "none yet"
    if blessed is None:
        pushed += " (the new one was not judged)"
    elif not blessed:
        pushed += " (the new one was not blessed)"
    elif trial and not trial["passed"]:
        pushed += " (the new one failed its trial in the server)"
    places = {
        "model": pushed,
        "report": display_path(result.report),
        "metadata": str(paths.metadata),
        "rejects": str(paths.rejects),
        "requests": str(paths.requests),
        "state": display_path(result.examples / "state"),
        "log": str(paths.log),
    }
    console.print()
    for name, place in places.items():
        console.print(f"{name:<9} {place}", soft_wrap=True)
