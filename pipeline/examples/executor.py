"""The executor of `ImpressionExampleGen`, which runs the engine and splits."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import apache_beam as beam
from google.protobuf import struct_pb2
from tfx.components.example_gen import base_example_gen_executor, write_split
from tfx.components.util import examples_utils
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.utils import proto_utils

from pipeline.config import LogConfig
from pipeline.examples.day_split import EVAL, TRAIN
from pipeline.examples.earlier import EarlierExamplesError, open_earlier
from pipeline.examples.from_log import Made, examples_from_log
from pipeline.examples.from_table import examples_from_table
from pipeline.examples.on_beam import examples_on_beam, read_counts
from pipeline.examples.places import (
    LAST_DAY,
    OF_A_DATE,
    SUMMARY_FILE,
    Places,
)
from pipeline.examples.summary import described, first_and_last_day
from pipeline.progress import report_progress
from preprocessing.arrays.days import day_of
from preprocessing.checks.counts import LogSummary
from preprocessing.checks.day_window import DayWindow
from preprocessing.engine.beam.outputs import finish_outputs
from preprocessing.engine.cores import usable_cores
from preprocessing.engine.earlier_output import OutputFolderError, foreign_rejects
from preprocessing.engine.feature_table import open_feature_table
from preprocessing.engine.log_input import open_log
from preprocessing.state.files import open_state
from preprocessing.storage.files import join

EARLIER_KEY = "earlier"
SPLITS = (TRAIN, EVAL)


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Runs the feature engine and splits its examples by day or user."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:
        """Never called: splits do not follow files; see `GenerateExamplesByBeam`."""
        raise TypeError("ImpressionExampleGen splits by day or user, not by file")

    def GenerateExamplesByBeam(
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """The serialized examples of each split; also rejects, state and counts."""
        settings = _Settings.of(exec_properties)
        return examples_on_beam(
            pipeline,
            settings.config,
            settings.data_dir,
            settings.state_dir,
            DayWindow(last=settings.last_day),
            self._places,
        )

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the splits, then refuses what a run must not continue with.

        Raises:
            OutputFolderError: Among the rejects is a file that no run has written.
            EarlierExamplesError: The earlier examples cannot be gone on from.
            SettingsError: They, or the feature table, were made with other settings.
            SourceError: The input cannot be used.
            StateError: The state cannot be used.
            EmptyLogError: The log has no rows.
            RejectLimitExceeded: Too many rows break the contract.
            EmptySplitError: A split has no impressions.
        """
        settings = _Settings.of(exec_properties)
        config = settings.config
        _empty_rejects(settings.rejects_dir)
        examples = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.EXAMPLES_KEY]
        )
        earlier = (input_dict.get(EARLIER_KEY) or [None])[0]
        _describe_artifact(examples, exec_properties)
        self._places = _places(examples, settings.rejects_dir)
        if settings.of_features:
            table = open_feature_table(settings.data_dir, config.features)
            made = examples_from_table(table, config, self._places, usable_cores())
        elif config.examples.engine == "beam":
            made = self._on_beam(input_dict, output_dict, exec_properties, settings)
        else:
            made = _in_threads(settings, self._places, earlier)
        summary = described(config, made, settings.last_day, earlier is not None)
        for name, day in first_and_last_day(config, made, settings.last_day).items():
            summary[name] = day
            examples.set_string_custom_property(name, day)
        if settings.last_day is not None:
            examples.set_string_custom_property(OF_A_DATE, "true")
        _report_rows(made.summary)
        with fileio.open(os.path.join(examples.uri, SUMMARY_FILE), "w") as file:
            file.write(json.dumps(summary, indent=1))

    def _on_beam(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
        settings: _Settings,
    ) -> Made:
        config, rejects_dir = settings.config, settings.rejects_dir
        if input_dict.get(EARLIER_KEY):
            raise EarlierExamplesError(
                "examples.engine beam does not go on from earlier examples: set it to "
                "threads, or run over the whole log"
            )
        previous = None
        if settings.state_dir is not None:
            previous = open_state(
                settings.state_dir, config.features, checked=False
            ).info
        super().Do(input_dict, output_dict, exec_properties)
        counts = read_counts(rejects_dir)
        summary = finish_outputs(
            rejects_dir, self._places.state_dir, config.features, previous
        )
        return Made(summary, counts)


class _Settings(NamedTuple):
    """What the component was given, as its executor reads it."""

    data_dir: str
    config: LogConfig
    rejects_dir: str
    of_features: bool
    state_dir: str | None
    last_day: int | None

    @classmethod
    def of(cls, exec_properties: dict[str, Any]) -> _Settings:
        custom = example_gen_pb2.CustomConfig()
        proto_utils.json_to_proto(
            exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], custom
        )
        settings = struct_pb2.Struct()
        custom.custom_config.Unpack(settings)
        return cls(
            exec_properties[standard_component_specs.INPUT_BASE_KEY],
            LogConfig.model_validate_json(str(settings["config"])),
            str(settings["rejects_dir"]),
            bool(settings["of_features"]),
            str(settings["state_dir"]) or None,
            _day(settings[LAST_DAY]),
        )


def _day(date: Any) -> int | None:
    return day_of(datetime.date.fromisoformat(date)) if date else None


def _places(examples: Artifact, rejects_dir: str) -> Places:
    folders = {
        name: Path(artifact_utils.get_split_uri([examples], name)) for name in SPLITS
    }
    return Places(Path(examples.uri), folders, rejects_dir)


def _in_threads(settings: _Settings, places: Places, artifact: Artifact | None) -> Made:
    config, state_dir = settings.config, settings.state_dir
    window, earlier = DayWindow(last=settings.last_day), None
    if artifact is not None:
        earlier = open_earlier(Path(artifact.uri), config)
        window, state_dir = earlier.window(settings.last_day), earlier.state_dir
    log = open_log(config.source, config.features, settings.data_dir, state_dir, window)
    return examples_from_log(log, config, places, usable_cores(), earlier)


def _describe_artifact(examples: Artifact, exec_properties: dict[str, Any]) -> None:
    """Notes what readers of TFX ask an artifact of examples, as its executor does."""
    names = standard_component_specs
    examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
    payload = exec_properties[names.OUTPUT_DATA_FORMAT_KEY]
    examples_utils.set_payload_format(examples, payload)
    kind = write_split.to_file_format_str(exec_properties[names.OUTPUT_FILE_FORMAT_KEY])
    examples_utils.set_file_format(examples, kind)


def _empty_rejects(rejects_dir: str) -> None:
    for name in foreign_rejects(rejects_dir):
        raise OutputFolderError(
            f"{join(rejects_dir, name)} was not made by an earlier run: rejected "
            "rows would replace it. Choose another place, or move it away"
        )
    if fileio.exists(rejects_dir):
        fileio.rmtree(rejects_dir)
    fileio.makedirs(rejects_dir)


def _report_rows(summary: LogSummary) -> None:
    report_progress(summary.equation)
