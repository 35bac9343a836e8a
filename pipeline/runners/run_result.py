"""What the newest run of a folder made, as ML Metadata records it.

Imports neither TensorFlow nor TFX, so that it answers at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.examples.day_split import EVAL
from pipeline.report.files import METRICS_FILE, PAGE_FILE
from pipeline.runners.metadata_file import check_records, open_store
from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_records import newest_run, outputs_of


@dataclass(frozen=True)
class RunResult:
    """Where a finished run's artifacts are.

    Attributes:
        report: The report's page.
        metrics: The report's numbers.
        examples: Folder of the raw examples, one folder per split.
        model: The trained model's folder.
        pushed: The newest version that was pushed, or None before the first blessing.
    """

    report: Path
    metrics: dict[str, Any]
    examples: Path
    model: Path
    pushed: Path | None

    @property
    def eval_dir(self) -> Path:
        """Folder of the raw examples of the evaluation split, named as TFX does it."""
        return self.examples / f"Split-{EVAL}"


def read_result(paths: RunPaths) -> RunResult:
    """Finds the artifacts of the newest pipeline run in a run's folder.

    Raises:
        FileNotFoundError: The folder holds no finished run.
        RunFolderError: Its records are none of ours, or cannot be read.
    """
    check_records(paths.metadata)
    uris = newest_outputs(paths.metadata)
    missing = {"ReportGen", "ImpressionExampleGen", "Trainer"} - uris.keys()
    if missing:
        raise FileNotFoundError(
            f"the newest run in {paths.out} did not finish: no output of "
            f"{', '.join(sorted(missing))}. Run it again to continue it."
        )
    report = Path(uris["ReportGen"]["report"])
    versions = paths.versions
    return RunResult(
        report=report / PAGE_FILE,
        metrics=json.loads((report / METRICS_FILE).read_text(encoding="utf-8")),
        examples=Path(uris["ImpressionExampleGen"]["examples"]),
        model=Path(uris["Trainer"]["model"]),
        pushed=versions[-1] if versions else None,
    )


def newest_outputs(metadata: Path) -> dict[str, dict[str, str]]:
    """Artifact URIs by node and output name, of the newest pipeline run."""
    store = open_store(metadata, read_only=True)
    newest = newest_run(store)
    if newest is None:
        return {}
    return {
        node: {name: artifact.uri for name, artifact in made.items()}
        for node, made in outputs_of(store, newest).items()
    }
