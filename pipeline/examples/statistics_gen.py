"""`StatisticsGen`: TFX's StatisticsGen for one machine, on a sample."""

import json
import os
from typing import Any

from tfx.dsl.component.experimental.annotations import (
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts

from pipeline.config import StatisticsPart
from pipeline.examples.places import SUMMARY_FILE
from pipeline.examples.statistics import LEFT_OUT, split_statistics
from pipeline.examples.summary import rows_by_day
from preprocessing.features.columns import feature_schema

SAMPLE_FILE = "sample.json"
STATISTICS_FILE = "FeatureStats.pb"  # as TFX names it


@component
def StatisticsGen(
    config: Parameter[str],
    examples: InputArtifact[standard_artifacts.Examples],
    statistics: OutputArtifact[standard_artifacts.ExampleStatistics],
) -> None:
    """Describes some examples of each split, drawn from all of it.

    Of examples that `ImpressionExampleGen` made, only those are read.
    `config` is a `StatisticsPart` as JSON, and says how many.
    Beside TFX's files the artifact holds `sample.json`: of how many examples of how
    many the statistics of a split are, and which columns were left out.
    """
    part = StatisticsPart.model_validate_json(config)
    columns = feature_schema(part.features)
    statistics.split_names = examples.split_names
    statistics.span = examples.span
    summary = _summary(examples.uri)
    splits = {}
    for split in artifact_utils.decode_split_names(examples.split_names):
        folder = artifact_utils.get_split_uri([examples], split)
        rows = rows_by_day(summary, split) if summary else None
        found = split_statistics(folder, columns, part.statistics.max_examples, rows)
        splits[split] = {"described": found.described, "examples": found.examples}
        target = artifact_utils.get_split_uri([statistics], split)
        fileio.makedirs(target)
        with fileio.open(os.path.join(target, STATISTICS_FILE), "wb") as file:
            file.write(found.proto.SerializeToString())
    sample = {"splits": splits, "left_out": list(LEFT_OUT)}
    with fileio.open(os.path.join(statistics.uri, SAMPLE_FILE), "w") as file:
        file.write(json.dumps(sample, indent=1))


def _summary(folder: str) -> dict[str, Any] | None:
    """What `ImpressionExampleGen` says of its examples; None of others'."""
    path = os.path.join(folder, SUMMARY_FILE)
    if not fileio.exists(path):
        return None
    with fileio.open(path, "r") as file:
        return json.load(file)
