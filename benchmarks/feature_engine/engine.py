"""The engine by its two entry points."""

from __future__ import annotations

import pyarrow.parquet as pq

from preprocessing import FeatureConfig, SourceConfig

_SOURCE = SourceConfig(format="parquet")


def build_in_beam(log_dir: str, out_dir: str, config: FeatureConfig) -> None:
    """`BuildFeatures` on the DirectRunner, as a pipeline runs it by default."""
    import apache_beam as beam
    from apache_beam.io.parquetio import WriteToParquetBatched
    from apache_beam.options.pipeline_options import PipelineOptions

    from preprocessing import BuildFeatures, ReadImpressions
    from preprocessing.contract import REJECT_SCHEMA
    from preprocessing.features import feature_schema

    options = PipelineOptions(["--direct_running_mode=in_memory"])
    with beam.Pipeline(options=options) as pipeline:
        outputs = (
            pipeline | ReadImpressions(_SOURCE, config, log_dir) | BuildFeatures(config)
        )
        for name, tables, schema in (
            ("features", outputs.features, feature_schema(config)),
            ("rejects", outputs.rejects, REJECT_SCHEMA),
        ):
            _ = tables | f"Write[{name}]" >> WriteToParquetBatched(
                f"{out_dir}/{name}",
                schema,
                codec="snappy",
                file_name_suffix=".parquet",
            )


def build_in_process(log_dir: str, out_dir: str, config: FeatureConfig) -> None:
    """`build_feature_table`, which holds the whole table in memory."""
    from preprocessing import build_feature_table

    built = build_feature_table(_SOURCE, config, log_dir)
    pq.write_table(built.features, f"{out_dir}/features.parquet")
    pq.write_table(built.rejects, f"{out_dir}/rejects.parquet")
