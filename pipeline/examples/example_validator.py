"""`ExampleValidator`: TFX's ExampleValidator that also looks for drift and skew."""

import json
import os
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from pipeline.config.drift import DriftConfig
from pipeline.examples.day_split import EVAL
from pipeline.examples.drift import validate
from pipeline.examples.serving_statistics_gen import REQUESTS_FILE, served_statistics
from pipeline.examples.skew import add_anomalies, skew
from pipeline.examples.statistics_gen import STATISTICS_FILE

DRIFT_FILE = "drift.json"
ANOMALIES_FILE = "SchemaDiff.pb"  # as TFX names it


@component
def ExampleValidator(
    config: Parameter[str],
    statistics: InputArtifact[standard_artifacts.ExampleStatistics],
    schema: InputArtifact[standard_artifacts.Schema],
    anomalies: OutputArtifact[standard_artifacts.ExampleAnomalies],
    previous: InputArtifact[standard_artifacts.ExampleStatistics] = None,
    serving: InputArtifact[standard_artifacts.ExampleStatistics] = None,
) -> None:
    """Holds each split's statistics against the schema and those of an earlier run.

    The evaluation split, the newest day, is also held against `serving`, the statistics
    of logged requests. `config` is a `DriftConfig` as JSON. Anomalies of all kinds are
    in TFX's files. Beside them, where there is something to compare with, is
    `drift.json`: `previous`, which earlier statistics they are, or null; `serving`,
    what is known of the logged requests, or null; and `features`, all distances, below
    the thresholds too, the worst first, each with what was compared with.
    """
    drift = DriftConfig.model_validate_json(config)
    proto = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema.uri))
    anomalies.split_names = statistics.split_names
    anomalies.span = statistics.span
    verdicts, distances = {}, []
    served = served_statistics(serving) if serving else ""
    for split in artifact_utils.decode_split_names(statistics.split_names):
        described = _statistics(statistics, split)
        found, moved = validate(
            described,
            proto,
            _statistics(previous, split) if _has(previous, split) else None,
            drift,
        )
        if served and split == EVAL:
            requests = tfdv.load_stats_binary(served)
            skewed, further = skew(described, proto, requests, drift.serving)
            add_anomalies(found, skewed)
            moved += further
        target = artifact_utils.get_split_uri([anomalies], split)
        fileio.makedirs(target)
        with fileio.open(os.path.join(target, ANOMALIES_FILE), "wb") as file:
            file.write(found.SerializeToString())
        verdicts[split] = int(
            not found.anomaly_info and not found.HasField("dataset_anomaly_info")
        )
        distances += [(split, feature) for feature in moved]
    anomalies.set_json_value_custom_property("blessed", verdicts)  # as TFX does
    if previous or serving:
        distances.sort(key=lambda moved: moved[1].badness, reverse=True)
        compared = {
            "previous": _place(previous) if previous else None,
            "serving": _requests(serving) if serving else None,
            "features": [{"split": of, **moved.as_dict()} for of, moved in distances],
        }
        with fileio.open(os.path.join(anomalies.uri, DRIFT_FILE), "w") as file:
            file.write(json.dumps(compared, indent=1))


def _place(artifact: Artifact) -> str:
    return "/".join(artifact.uri.rstrip("/").split("/")[-3:])


def _requests(serving: Artifact) -> dict[str, Any]:
    with fileio.open(os.path.join(serving.uri, REQUESTS_FILE)) as file:
        return {"statistics": _place(serving), **json.load(file)}


def _has(statistics: Artifact | None, split: str) -> bool:
    if not statistics:
        return False
    return split in artifact_utils.decode_split_names(statistics.split_names)


def _statistics(
    artifact: Artifact, split: str
) -> statistics_pb2.DatasetFeatureStatisticsList:
    folder = artifact_utils.get_split_uri([artifact], split)
    return tfdv.load_stats_binary(os.path.join(folder, STATISTICS_FILE))
