"""`ImpressionExampleGen`: an impression log becomes examples, split by day.

A file-based ExampleGen, so TFX fingerprints the input files and reuses cached examples
only while neither the log nor the configuration has changed.
"""

from __future__ import annotations

import json
import os
from typing import Any

import apache_beam as beam
import pyarrow as pa
from google.protobuf import json_format, struct_pb2
from tfx.components.example_gen import base_example_gen_executor
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.dsl.components.base import executor_spec
from tfx.proto import example_gen_pb2
from tfx.utils import proto_utils

from pipeline.config import RunConfig
from pipeline.day_split import EVAL, TRAIN, DayCounts, DaySplit, check_days
from pipeline.progress import report_progress
from preprocessing.beam_features import (
    BuildFeatures,
    ReadImpressions,
    check_rejects,
    read_summary,
    write_rejects,
)
from preprocessing.examples import encode_examples

REJECTS_DIR = "rejects"


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Runs the feature engine and writes one split of days after the other."""

    def GetInputSourceToExamplePTransform(self) -> beam.PTransform:  # noqa: N802
        """Unused: splits come from days, so `GenerateExamplesByBeam` is overridden."""
        raise AttributeError("ImpressionExampleGen splits by day, not by file")

    def GenerateExamplesByBeam(  # noqa: N802
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """The serialized examples of each split."""
        settings = _custom(exec_properties)
        config = RunConfig.model_validate_json(settings["config"])
        return None  # type: ignore[return-value]
