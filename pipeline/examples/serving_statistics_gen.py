"""`ServingStatisticsGen`: what a model was asked in serving, as statistics."""

import json
import os
from typing import Any

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts

from pipeline.config import ServingStatisticsPart
from pipeline.examples.logged_requests import (
    LoggedCandidates,
    ServedColumns,
    newest_candidates,
)
from pipeline.examples.serving_log_files import serving_log_files
from pipeline.examples.statistics import examples_statistics
from pipeline.examples.statistics_gen import STATISTICS_FILE
from pipeline.progress import report_progress

REQUESTS_FILE = "requests.json"
SPLIT = "serving"


@component
def ServingStatisticsGen(
    config: Parameter[str],
    logs_state: Parameter[str],
    statistics: OutputArtifact[standard_artifacts.ExampleStatistics],
) -> None:
    """Describes the newest candidates that a server was asked for and has logged.

    `config` is a `ServingStatisticsPart` as JSON. `logs_state` changes when the logs'
    files do (`serving_logs_state`), so that the component runs again.
    The artifact has the split `serving`, or none where there is nothing to describe.
    `requests.json` says where the logs are, how many files there are, of how many
    requests and candidates the statistics are, and in `notes` what a reader of the
    report must know.
    """
    part = ServingStatisticsPart.model_validate_json(config)
    folder = part.drift.serving.logs
    files = None if folder is None else serving_log_files(folder)
    columns, count = ServedColumns.of(part), part.statistics.max_examples
    found = newest_candidates(files or (), part.serving.model_name, columns, count)
    notes = _notes(part, found, None if files is None else len(files))
    summary = {
        "logs": folder,
        "files": len(files or ()),
        "requests": found.requests,
        "candidates": len(found.examples),
        "notes": notes,
    }
    for note in notes:
        report_progress(note)
    statistics.split_names = artifact_utils.encode_split_names([])
    fileio.makedirs(statistics.uri)
    if found.examples:
        statistics.split_names = artifact_utils.encode_split_names([SPLIT])
        target = artifact_utils.get_split_uri([statistics], SPLIT)
        fileio.makedirs(target)
        proto = examples_statistics(found.examples, columns.fields)
        with fileio.open(os.path.join(target, STATISTICS_FILE), "wb") as file:
            file.write(proto.SerializeToString())
    with fileio.open(os.path.join(statistics.uri, REQUESTS_FILE), "w") as file:
        file.write(json.dumps(summary, indent=1))


def _notes(
    part: ServingStatisticsPart, found: LoggedCandidates, files: int | None
) -> list[str]:
    notes = [f"drift.serving.logs: {why}" for why in found.damaged]
    if found.other_models:
        notes.append(
            f"drift.serving.logs: {found.other_models:,} requests are of other models "
            f"than serving.model_name, {part.serving.model_name}"
        )
    if found.unreadable:
        notes.append(
            f"drift.serving.logs: {found.unreadable:,} records are no Predict requests "
            "with the columns of the model, and were left out"
        )
    if not found.examples:
        place = part.drift.serving.logs
        why = f"there is no folder {place}"
        if files is not None:
            why = f"{files:,} files in {place} hold no candidates of the model"
        notes.append(
            f"drift.serving.logs: {why}: the examples were not compared with serving"
        )
    return notes


def served_statistics(artifact: Any) -> str:
    """The file of `ServingStatisticsGen`'s statistics; empty where it found none."""
    if SPLIT not in artifact_utils.decode_split_names(artifact.split_names):
        return ""
    folder = artifact_utils.get_split_uri([artifact], SPLIT)
    return os.path.join(folder, STATISTICS_FILE)
