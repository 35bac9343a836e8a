"""A finished run as it can be judged again: its configuration, examples and models.

Imports neither TensorFlow nor TFX.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydantic
from ml_metadata.proto import metadata_store_pb2

from pipeline.config import RunConfig
from pipeline.earlier_runs.lineage import nodes_by_execution
from pipeline.evaluation.rankings import CONTROL, MODEL, PLAIN
from pipeline.examples.day_split import EVAL, TRAIN
from pipeline.runners.metadata_file import RunFolderError, check_records, open_store
from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_records import newest_run, outputs_of

_TRAINERS = {MODEL: "Trainer", PLAIN: "PlainTrainer", CONTROL: "ControlTrainer"}
_REPORT = "ReportGen"  # it has read the whole configuration
_SAVED_MODEL = "Format-Serving"  # as TFX's trainers name it in their output


@dataclass(frozen=True)
class TrainedRun:
    """What the newest run of a folder has trained, on what, and how.

    Attributes:
        config: Its configuration.
        train_dir: The raw examples that it trained on.
        eval_dir: Those that it was evaluated on.
        model_dirs: Its SavedModels, by ranking name (`model`, `plain`, `control`).
    """

    config: RunConfig
    train_dir: Path
    eval_dir: Path
    model_dirs: Mapping[str, Path]


def read_trained_run(paths: RunPaths) -> TrainedRun:
    """Finds the newest run of a folder, wherever the folder has been moved to.

    Raises:
        FileNotFoundError: The folder holds no run, the newest did not finish, or what
            it made has been removed.
        RunFolderError: Its records are none of ours, cannot be read, or are of a
            release with other settings.
    """
    check_records(paths.metadata)
    store = open_store(paths.metadata, read_only=True)
    run = newest_run(store)
    made = {} if run is None else outputs_of(store, run)
    missing = {_REPORT, "ImpressionExampleGen", "Trainer"} - made.keys()
    if run is None or missing:
        raise FileNotFoundError(
            f"the newest run in {paths.out} did not finish: no output of "
            f"{', '.join(sorted(missing))}. Run it again to continue it"
        )

    def place(node: str, output: str, *within: str) -> Path:
        # The folder may have been moved; the place in it is the same.
        parts = Path(made[node][output].uri).parts[-3:]
        found = paths.pipeline_root.joinpath(*parts, *within)
        if not found.exists():
            raise FileNotFoundError(
                f"{found} is gone, so the newest run in {paths.out} cannot be judged "
                "again: run it again"
            )
        return found

    return TrainedRun(
        config=_config(store, run, paths),
        train_dir=place("ImpressionExampleGen", "examples", f"Split-{TRAIN}"),
        eval_dir=place("ImpressionExampleGen", "examples", f"Split-{EVAL}"),
        model_dirs={
            name: place(node, "model", _SAVED_MODEL)
            for name, node in _TRAINERS.items()
            if node in made
        },
    )


def _config(store: Any, run: Any, paths: RunPaths) -> RunConfig:
    nodes = nodes_by_execution(store)
    done = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)
    texts = [
        execution.custom_properties["config"].string_value
        for execution in store.get_executions_by_context(run.id)
        if nodes.get(execution.id) == _REPORT
        and execution.last_known_state in done
        and "config" in execution.custom_properties
    ]
    if not texts:
        raise RunFolderError(
            f"the records in {paths.metadata} do not say with which configuration the "
            "newest run was made: run it again"
        )
    try:
        return RunConfig.model_validate_json(texts[-1])
    except pydantic.ValidationError as error:
        where = ", ".join(".".join(map(str, e["loc"])) for e in error.errors())
        raise RunFolderError(
            f"the newest run in {paths.out} was made by a release with other settings "
            f"({where}): run it again"
        ) from error
