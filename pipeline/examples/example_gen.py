"""`ImpressionExampleGen`: an impression log becomes examples, split by day or user.

TFX reuses cached examples only while neither the log's files nor the configuration have
changed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
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
from pipeline.examples.day_split import EVAL, TRAIN, DaySplit, count_days
from pipeline.examples.user_split import UserSplit
from pipeline.progress import report_progress
from preprocessing.checks.counts import LogSummary, add_counts
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.beam.features import BuildFeatures
from preprocessing.engine.beam.outputs import (
    finish_outputs,
    write_rejects,
    write_state,
)
from preprocessing.engine.beam.read_log import ReadImpressions
from preprocessing.engine.earlier_output import OutputFolderError, foreign_rejects
from preprocessing.storage.files import join

SPLIT_SUMMARY_FILE = "log_summary.json"
STATE_FOLDER = "state"
_COUNTS_FILE = "split_counts.json"
_SPLITS = (TRAIN, EVAL)


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Runs the feature engine and splits its examples by day or user."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:
        """Never called: splits do not follow files; see `GenerateExamplesByBeam`."""
        raise TypeError("ImpressionExampleGen splits by day or user, not by file")

    def GenerateExamplesByBeam(
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """The serialized examples of each split; also rejects, state and counts."""
        config, rejects_dir = _settings(exec_properties)
        data_dir = exec_properties[standard_component_specs.INPUT_BASE_KEY]
        outputs = (
            pipeline
            | "ReadImpressions"
            >> ReadImpressions(config.source, config.features, data_dir)
            | "BuildFeatures" >> BuildFeatures(config.features)
        )
        write_rejects(outputs, rejects_dir)
        write_state(outputs, self._state_dir)
        counts = (
            outputs.features
            | "CountTable" >> beam.Map(_count, config)
            | "AddCounts" >> beam.CombineGlobally(add_counts)
        )
        _ = (
            counts
            | "CountsAsJson" >> beam.Map(_counts_to_json)
            | "WriteCounts"
            >> beam.io.WriteToText(
                os.path.join(rejects_dir, _COUNTS_FILE),
                num_shards=1,
                shard_name_template="",
            )
        )
        return {
            name: outputs.features
            | f"Select[{name}]"
            >> beam.ParDo(_EncodeSplit(config, name), beam.pvalue.AsSingleton(counts))
            for name in _SPLITS
        }

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the splits, then refuses what a run must not continue with.

        Raises:
            OutputFolderError: Among the rejects is a file that no run has written.
            EmptyLogError: The log has no rows.
            RejectLimitExceeded: Too many rows break the contract.
            EmptySplitError: A split has no impressions.
        """
        config, rejects_dir = _settings(exec_properties)
        for name in foreign_rejects(rejects_dir):
            raise OutputFolderError(
                f"{join(rejects_dir, name)} was not made by an earlier run: rejected "
                "rows would replace it. Choose another place, or move it away"
            )
        if fileio.exists(rejects_dir):
            fileio.rmtree(rejects_dir)
        fileio.makedirs(rejects_dir)
        uri = artifact_utils.get_single_uri(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        self._state_dir = os.path.join(uri, STATE_FOLDER)
        super().Do(input_dict, output_dict, exec_properties)
        counts = _read_counts(rejects_dir)
        summary = finish_outputs(rejects_dir, self._state_dir, config.features)
        described = _describe(config, summary, counts)
        _report_rows(summary)
        with fileio.open(os.path.join(uri, SPLIT_SUMMARY_FILE), "w") as file:
            file.write(json.dumps(described, indent=1))


class ImpressionExampleGen(FileBasedExampleGen):
    """Reads a log, computes point-in-time features and writes them as examples.

    Beside the splits' folders the examples artifact holds `log_summary.json` (rows in,
    examples, rejects by reason, impressions by day) and `state/`, what is known of
    users and videos after the log (`preprocessing.state.files`).

    Args:
        input_base: Folder (or file) of the log.
        config: A `LogConfig` as JSON.
        rejects_dir: Where rejected rows are kept. It lies outside the artifact, whose
            folder TFX removes when the run fails because of them.
        input_state: What the log's files are at the moment
            (`preprocessing.sources.input_files.input_state`): examples are made anew
            when it changes. Where it cannot be told beforehand, on a cluster, TFX's own
            fingerprint remains, which sees the folder's first level alone.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self, input_base: str, config: str, rejects_dir: str, input_state: str = ""
    ):
        settings = struct_pb2.Struct()
        settings.update(
            {"config": config, "rejects_dir": rejects_dir, "input_state": input_state}
        )
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

    def process(self, table: pa.Table, counts: Counter[int]) -> Iterator[bytes]:
        rows = _split(self._config, counts).select(table, self._name)
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


def _split(config: LogConfig, counts: Counter[int]) -> DaySplit | UserSplit:
    if config.split.by == "user":
        return UserSplit(config.split)
    return DaySplit(config.split, counts, config.features.calendar)


def _count(table: pa.Table, config: LogConfig) -> Counter[int]:
    """Rows by day or by split, what `describe` of the split takes."""
    if config.split.by == "user":
        return UserSplit(config.split).count(table)
    return count_days(table, config.features.calendar)


def _describe(
    config: LogConfig, summary: LogSummary, counts: Counter[int]
) -> dict[str, Any]:
    """The summary of a log, and what its rows are used for."""
    return {
        "rows_in": summary.rows_in,
        "examples": summary.examples,
        "rejects": summary.rejects,
        "by_reason": summary.by_reason,
        **_split(config, counts).describe(counts),
    }


def _report_rows(summary: LogSummary) -> None:
    report_progress(
        f"{summary.rows_in:,} rows in = {summary.examples:,} examples + "
        f"{summary.rejects:,} rejects"
    )


def _counts_to_json(counts: Counter[int]) -> str:
    return json.dumps({str(key): counts[key] for key in sorted(counts)})


def _read_counts(rejects_dir: str) -> Counter[int]:
    path = os.path.join(rejects_dir, _COUNTS_FILE)
    with fileio.open(path) as file:
        counts = json.loads(file.read())
    fileio.remove(path)
    return Counter({int(key): count for key, count in counts.items()})
