"""`ReportGen`: one page on a run, and its numbers as `metrics.json`."""

import json
import os
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.artifact import Artifact
from tfx.utils import path_utils

from pipeline.config import RunConfig
from pipeline.evaluation.comparison import COMPARISON_FILE
from pipeline.evaluation.rankings import CONTROL, MODEL, PLAIN
from pipeline.examples.example_validator import ANOMALIES_FILE, DRIFT_FILE
from pipeline.examples.places import SUMMARY_FILE
from pipeline.examples.statistics_gen import SAMPLE_FILE
from pipeline.report.report import ReportInputs, make_report
from pipeline.training.findings.run_files import (
    GATES_FILE,
    HISTORY_FILE,
    SENSITIVITY_FILE,
)
from pipeline.validation.trial import RESULT_FILE


class Report(Artifact):
    """A folder with `index.html` and `metrics.json`."""

    TYPE_NAME = "poso.Report"


@component
def ReportGen(
    config: Parameter[str],
    examples: InputArtifact[standard_artifacts.Examples],
    model: InputArtifact[standard_artifacts.Model],
    model_run: InputArtifact[standard_artifacts.ModelRun],
    anomalies: InputArtifact[standard_artifacts.ExampleAnomalies],
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    report: OutputArtifact[Report],
    plain_model: InputArtifact[standard_artifacts.Model] = None,
    plain_model_run: InputArtifact[standard_artifacts.ModelRun] = None,
    control_model: InputArtifact[standard_artifacts.Model] = None,
    control_model_run: InputArtifact[standard_artifacts.ModelRun] = None,
    blessing: InputArtifact[standard_artifacts.ModelBlessing] = None,
    infra_blessing: InputArtifact[standard_artifacts.InfraBlessing] = None,
) -> None:
    """Scores the evaluation split by each model and by popularity, and compares."""
    models = {MODEL: (model, model_run)}
    if plain_model and plain_model_run:
        models[PLAIN] = (plain_model, plain_model_run)
    if control_model and control_model_run:
        models[CONTROL] = (control_model, control_model_run)
    gates = {name: _read_json(run.uri, GATES_FILE) for name, (_, run) in models.items()}
    inputs = ReportInputs(
        train_dir=artifact_utils.get_split_uri([examples], "train"),
        eval_dir=artifact_utils.get_split_uri([examples], "eval"),
        model_dirs={
            name: path_utils.serving_model_path(artifact.uri)
            for name, (artifact, _) in models.items()
        },
        histories={
            name: _read_json(run.uri, HISTORY_FILE) for name, (_, run) in models.items()
        },
        gates={name: profile for name, profile in gates.items() if profile},
        sensitivities={
            name: _read_json(run.uri, SENSITIVITY_FILE)
            for name, (_, run) in models.items()
        },
        anomalies=_anomalies(anomalies),
        drift=_read_json(anomalies.uri, DRIFT_FILE),
        statistics=_read_json(statistics.uri, SAMPLE_FILE),
        data=_read_json(examples.uri, SUMMARY_FILE),
        comparison=_read_json(blessing.uri, COMPARISON_FILE).get("notes", [])
        if blessing
        else [],
        blessed=blessing.get_int_custom_property("blessed") == 1 if blessing else None,
        serving_trial=_serving_trial(infra_blessing),
    )
    make_report(RunConfig.model_validate_json(config), inputs, report.uri)


def _serving_trial(infra_blessing: Artifact | None) -> dict[str, Any]:
    """The result of the trial in a server; of InfraValidator's only the verdict."""
    if not infra_blessing:
        return {}
    passed = infra_blessing.get_int_custom_property("blessed") == 1
    return {"passed": passed, **_read_json(infra_blessing.uri, RESULT_FILE)}


def _read_json(folder: str, name: str) -> dict[str, Any]:
    path = os.path.join(folder, name)
    if not fileio.exists(path):
        return {}
    with fileio.open(path) as file:
        return json.load(file)


def _anomalies(artifact: Artifact) -> list[str]:
    """What ExampleValidator found, one line per anomaly."""
    found = []
    for split in artifact_utils.decode_split_names(artifact.split_names):
        folder = artifact_utils.get_split_uri([artifact], split)
        path = os.path.join(folder, ANOMALIES_FILE)
        proto = anomalies_pb2.Anomalies()
        with fileio.open(path, "rb") as file:
            proto.ParseFromString(file.read())
        for feature, anomaly in sorted(proto.anomaly_info.items()):
            found.append(f"{split}: {feature}: {anomaly.description}")
    return found
