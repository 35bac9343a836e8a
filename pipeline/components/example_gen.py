"""`ImpressionExampleGen`: an impression log becomes examples, split by day.

A file-based ExampleGen, so TFX fingerprints the input files and reuses cached examples
only while neither the log nor the configuration has changed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
from google.protobuf import struct_pb2
from tfx.components.example_gen import base_example_gen_executor
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.utils import proto_utils

from pipeline.config import LogConfig
from pipeline.day_split import EVAL, TRAIN, DaySplit, check_days, count_days, date_of
from pipeline.progress import report_progress
from preprocessing.beam_features import (
    BuildFeatures,
    ReadImpressions,
    read_summary,
    write_rejects,
)
from preprocessing.examples import encode_examples
from preprocessing.rejects import LogSummary, check_rejects

SUMMARY_FILE = "log_summary.json"
_DAYS_FILE = "days.json"
_SPLITS = (TRAIN, EVAL)


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Runs the feature engine and splits its examples by day."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:
        """Never called: `GenerateExamplesByBeam` is overridden, since days split."""
        raise TypeError("ImpressionExampleGen splits by day, not by file")

    def GenerateExamplesByBeam(
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """The serialized examples of each split; also writes rejects and counts."""
        config, rejects_dir = _settings(exec_properties)
        offset = config.features.utc_offset_hours
        data_dir = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        outputs = (
            pipeline
            | "ReadImpressions"
            >> ReadImpressions(config.source, config.features, data_dir)
            | "BuildFeatures" >> BuildFeatures(config.features)
        )
        write_rejects(outputs, rejects_dir)
        days = (
            outputs.features
            | "DaysOfTable" >> beam.Map(count_days, offset)
            | "AddDays" >> beam.CombineGlobally(_add_counters)
        )
        _ = (
            days
            | "DaysAsJson" >> beam.Map(_days_to_json)
            | "WriteDays"
            >> beam.io.WriteToText(
                os.path.join(rejects_dir, _DAYS_FILE),
                num_shards=1,
                shard_name_template="",
            )
        )
        return {
            name: outputs.features
            | f"Select[{name}]"
            >> beam.ParDo(_EncodeSplit(config, name), beam.pvalue.AsSingleton(days))
            for name in _SPLITS
        }

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the splits, then refuses what a run must not go on with.

        Raises:
            EmptyLogError: The log has no rows.
            RejectLimitExceeded: Too many rows break the contract.
            EmptySplitError: A split has no impressions.
        """
        config, rejects_dir = _settings(exec_properties)
        if fileio.exists(rejects_dir):
            fileio.rmtree(rejects_dir)
        fileio.makedirs(rejects_dir)
        super().Do(input_dict, output_dict, exec_properties)
        summary, days = read_summary(rejects_dir), _read_days(rejects_dir)
        check_rejects(summary, config.features, rejects_dir)
        described = _describe(config, summary, days)
        uri = artifact_utils.get_single_uri(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        with fileio.open(os.path.join(uri, SUMMARY_FILE), "w") as file:
            file.write(json.dumps(described, indent=1))


class ImpressionExampleGen(FileBasedExampleGen):
    """Reads a log, computes point-in-time features and writes them as examples.

    Beside the splits' folders the examples artifact holds `log_summary.json`: rows in,
    examples, rejects by reason, and impressions by day.

    Args:
        input_base: Folder of the log.
        config: A `LogConfig` as JSON.
        rejects_dir: Where rejected rows are kept. It lies outside the artifact, whose
            folder TFX removes when the run fails because of them.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(self, input_base: str, config: str, rejects_dir: str):
        settings = struct_pb2.Struct()
        settings.update({"config": config, "rejects_dir": rejects_dir})
        custom = example_gen_pb2.CustomConfig()
        custom.custom_config.Pack(settings)
        split = example_gen_pb2.SplitConfig.Split
        super().__init__(
            input_base=input_base,
            input_config=example_gen_pb2.Input(
                splits=[example_gen_pb2.Input.Split(name="log", pattern="*")]
            ),
            output_config=example_gen_pb2.Output(
                split_config=example_gen_pb2.SplitConfig(
                    splits=[split(name=name, hash_buckets=1) for name in _SPLITS]
                )
            ),
            custom_config=custom,
        )


class _EncodeSplit(beam.DoFn):
    """The serialized examples of a feature table's rows that belong to a split."""

    def __init__(self, config: LogConfig, name: str):
        self._config = config
        self._name = name

    def process(self, table: pa.Table, days: Counter[int]) -> Iterator[bytes]:
        rows = _day_split(self._config, days).select(table, self._name)
        yield from encode_examples(rows)


def _settings(exec_properties: dict[str, Any]) -> tuple[LogConfig, str]:
    custom = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(
        exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], custom
    )
    settings = struct_pb2.Struct()
    custom.custom_config.Unpack(settings)
    config = LogConfig.model_validate_json(str(settings["config"]))
    return config, str(settings["rejects_dir"])


def _day_split(config: LogConfig, days: Counter[int]) -> DaySplit:
    first = min(days, default=0)
    return DaySplit(config.split, first, config.features.utc_offset_hours)


def _describe(
    config: LogConfig, summary: LogSummary, days: Counter[int]
) -> dict[str, Any]:
    """The summary of a log, its days and what each is used for."""
    split = _day_split(config, days)
    warnings = check_days(split, days)
    used = {date_of(day): name for name, of in split.split_days().items() for day in of}
    outside = sum(count for day, count in days.items() if date_of(day) not in used)
    report_progress(
        f"{summary.rows_in:,} rows in = {summary.examples:,} examples + "
        f"{summary.rejects:,} rejects"
    )
    return {
        "rows_in": summary.rows_in,
        "examples": summary.examples,
        "rejects": summary.rejects,
        "by_reason": summary.by_reason,
        "outside_splits": outside,
        "days": {date_of(day): days[day] for day in sorted(days)},
        "splits": used,
        "warnings": warnings,
    }


def _add_counters(counters: Iterable[Counter[int]]) -> Counter[int]:
    total: Counter[int] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _days_to_json(days: Counter[int]) -> str:
    return json.dumps({str(day): days[day] for day in sorted(days)})


def _read_days(rejects_dir: str) -> Counter[int]:
    path = os.path.join(rejects_dir, _DAYS_FILE)
    with fileio.open(path) as file:
        counts = json.loads(file.read())
    fileio.remove(path)
    return Counter({int(day): count for day, count in counts.items()})
