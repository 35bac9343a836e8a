"""Whether a run would only find again what the run before it made.

TFX finds that out too, component by component, but only when it has been imported,
which takes longer than all the rest. Imports neither TensorFlow nor TFX.
"""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.config import RunConfig
from pipeline.examples.serving_log_files import serving_logs_state
from pipeline.runners.metadata_file import open_store
from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_records import newest_run, outputs_of
from preprocessing.engine.output_folder import output_files
from preprocessing.sources.input_files import input_state
from preprocessing.state.files import open_state
from preprocessing.storage.file_versions import fingerprint

_FINISHED = "finished_request"
_DISTRIBUTIONS = ("poso", "poso-keras", "tensorflow", "tfx")


@dataclass(frozen=True)
class RunRequest:
    """Everything that decides what a run makes.

    Attributes:
        config: The run's configuration.
        data_dir: Folder (or file) of the impression log, or of a feature table.
        input_state: Changes when that does, or the state that it starts from
            (`state_of_inputs`).
        day: The day to evaluate on; None for what the configuration says.
        input_options: Further arguments of `ImpressionExampleGen`.
        until: The last component to run; empty for all.
        serving_logs_state: Changes when files of `drift.serving.logs` do
            (`state_of_serving_logs`).
    """

    config: RunConfig
    data_dir: Path
    input_state: str
    day: datetime.date | None
    input_options: Mapping[str, Any]
    until: str
    serving_logs_state: str = ""

    @property
    def to_its_end(self) -> bool:
        """Whether the run makes a report, and the sample requests with it."""
        return self.until in ("", "ReportGen")

    @property
    def identity(self) -> str:
        """A text that is equal for equal requests to the same release."""
        parts = {
            "config": self.config.model_dump(mode="json"),
            "data_dir": str(self.data_dir.resolve()),
            "input_state": self.input_state,
            "day": self.day and self.day.isoformat(),
            "input_options": dict(self.input_options),
            "until": self.until,
            "serving_logs_state": self.serving_logs_state,
            "versions": [_version(name) for name in _DISTRIBUTIONS],
        }
        text = json.dumps(parts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def state_of_inputs(
    config: RunConfig, data_dir: Path, log_state: str | None, options: Mapping[str, Any]
) -> str:
    """A text that changes when what a run reads does.

    Args:
        config: The run's configuration.
        data_dir: Folder (or file) of the impression log, or of a feature table.
        log_state: Changes when the log does; None looks at the log's files.
        options: Further arguments of `ImpressionExampleGen`.
    """
    log = str(data_dir.resolve())
    if options.get("of_features"):
        return fingerprint(log, output_files(log))
    found = log_state or input_state(config.source, config.features, log)
    if state_dir := options.get("state_dir"):
        files = open_state(state_dir, checked=False).files
        found += f"; state: {fingerprint(state_dir, files)}"
    return found


def state_of_serving_logs(config: RunConfig) -> str:
    """A text that changes when files of logged requests do, which a run reads.

    Args:
        config: The run's configuration; empty where it compares with none.
    """
    logs = config.drift.serving.logs
    if logs is None or config.examples.engine == "beam":
        return ""
    return serving_logs_state(logs)


def note_finished(paths: RunPaths, request: RunRequest) -> None:
    """Notes with the newest run of a folder that it is finished, and what it was of."""
    store = open_store(paths.metadata)
    run = newest_run(store)
    assert run is not None
    run.custom_properties[_FINISHED].string_value = request.identity
    store.put_contexts([run])


def when_finished(paths: RunPaths, request: RunRequest) -> datetime.datetime | None:
    """When the newest run of a folder was finished, if it was of the same request.

    Args:
        paths: The run's folder, whose records are settled: what they name is there.
        request: What is to be run.

    Returns:
        The time, UTC; None if the newest run was another, did not come to its end, or
        something that it made is gone.
    """
    if not paths.metadata.exists():
        return None
    store = open_store(paths.metadata)
    run = newest_run(store)
    if run is None or _FINISHED not in run.custom_properties:
        return None
    if run.custom_properties[_FINISHED].string_value != request.identity:
        return None
    made = [a for outputs in outputs_of(store, run).values() for a in outputs.values()]
    if any(artifact.state != pb.Artifact.LIVE for artifact in made):
        return None
    if request.to_its_end and not paths.requests.is_dir():
        return None
    return datetime.datetime.fromtimestamp(
        run.last_update_time_since_epoch / 1000, datetime.timezone.utc
    )


def _version(distribution: str) -> str:
    with suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(distribution)
    return ""
