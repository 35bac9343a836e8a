"""The engine in Beam: `BuildFeatures` on the DirectRunner."""

from __future__ import annotations

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.beam.features import BuildFeatures
from preprocessing.engine.beam.outputs import write_rejects
from preprocessing.engine.beam.read_log import ReadImpressions
from preprocessing.engine.beam.sink import WriteTables
from preprocessing.features.columns import feature_schema


def build(log_dir: str, out_dir: str, config: FeatureConfig) -> None:
    """Reads a Parquet log, writes `features/` and `rejects/` into a folder."""
    source = SourceConfig(format="parquet")
    options = PipelineOptions(["--direct_running_mode=in_memory"])
    with beam.Pipeline(options=options) as pipeline:
        log = pipeline | ReadImpressions(source, config, log_dir)
        outputs = log | BuildFeatures(config)
        write_rejects(outputs, f"{out_dir}/rejects")
        _ = outputs.features | WriteTables(
            f"{out_dir}/features/part", feature_schema(config)
        )
