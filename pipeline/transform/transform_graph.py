"""The Transform's graph, as TFX's Transform writes it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform import impl_helper
from tensorflow_transform.tf_metadata import (
    dataset_metadata,
    metadata_io,
    schema_utils,
)
from tfx_bsl.public import tfxio

from pipeline.examples.example_files import file_batches, split_files
from pipeline.examples.list_columns import list_column
from pipeline.transform.id_counts import count_ids
from preprocessing.transform.graph import (
    analyzed_columns,
    counted_columns,
    preprocessing_fn,
)
from preprocessing.transform.vocabularies import order_vocabulary

# Numbers are small; TensorFlow Transform pays by the batch.
_BATCH = 65_536


def feature_spec(schema: schema_pb2.Schema) -> dict[str, Any]:
    """How the columns of raw examples are parsed, by name."""
    return schema_utils.schema_as_feature_spec(schema).feature_spec


def write_transform_graph(
    folder: str,
    split_dir: str,
    schema: schema_pb2.Schema,
    custom_config: dict[str, str],
    pipeline: beam.Pipeline,
    earlier: tft.TFTransformOutput | None = None,
) -> tft.TFTransformOutput:
    """Analyzes a split and writes the graph that it leads to.

    Vocabularies are counted here, and files of the graph. What else is analyzed (means,
    quantiles) TensorFlow Transform does in Beam, on those columns alone; without any
    there is no Beam job.

    Args:
        folder: To write to; `tft.TFTransformOutput` reads it.
        split_dir: The split of raw examples that is analyzed.
        schema: Of the raw examples.
        custom_config: What `transform_custom_config` returns.
        pipeline: Not yet started.
        earlier: An earlier Transform whose vocabularies are to grow: an id that it
            knows keeps its row.
    """
    source = tfxio.TFExampleBeamRecord(physical_format="inline", schema=schema)
    types = source.TensorAdapter().OriginalTypeSpecs()
    with tempfile.TemporaryDirectory(prefix="poso-transform-") as temporary:
        vocabulary_dir = Path(temporary) / "vocabularies"
        vocabulary_dir.mkdir()
        _write_vocabularies(vocabulary_dir, split_dir, schema, custom_config, earlier)
        function = partial(
            preprocessing_fn,
            custom_config=custom_config,
            vocabulary_dir=str(vocabulary_dir),
        )
        metadata_io.write_metadata(
            dataset_metadata.DatasetMetadata(schema),
            os.path.join(folder, tft.TFTransformOutput.RAW_METADATA_DIR),
        )
        columns = analyzed_columns(custom_config)
        if not columns:
            spec = feature_spec(schema)
            impl_helper.analyze_in_place(function, False, spec, types, folder)
            return tft.TFTransformOutput(folder)
        source = source.Project(columns)
        spec = {name: feature_spec(schema)[name] for name in columns}
        with (
            pipeline,
            tft_beam.Context(temp_dir=os.path.join(temporary, "analysis")),
        ):
            batches = (
                pipeline
                | "Files" >> beam.Create(split_files(split_dir), reshuffle=False)
                | "Read" >> beam.FlatMap(_record_batches, spec, source.ArrowSchema())
            )
            graph = (
                batches,
                source.TensorAdapterConfig(),
            ) | tft_beam.AnalyzeDataset(function)
            graph | tft_beam.WriteTransformFn(folder)
    return tft.TFTransformOutput(folder)


def _write_vocabularies(
    folder: Path,
    split_dir: str,
    schema: schema_pb2.Schema,
    custom_config: dict[str, str],
    earlier: tft.TFTransformOutput | None,
) -> None:
    columns = counted_columns(custom_config)
    counts = count_ids(split_dir, columns, feature_spec(schema))
    for name, settings in columns.items():
        known = _earlier_tokens(earlier, name)
        tokens = order_vocabulary(counts[name], settings, known)
        (folder / name).write_bytes(b"".join(token + b"\n" for token in tokens))


def _earlier_tokens(earlier: tft.TFTransformOutput | None, name: str) -> list[bytes]:
    """The ids of an earlier vocabulary; none where there was no such column."""
    if earlier is None or earlier.vocabulary_file_by_name(name) is None:
        return []
    return earlier.vocabulary_by_name(name)


def _record_batches(
    path: str, spec: Mapping[str, Any], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """Columns of numbers of one file, as TFX's decoder gives them."""
    parsed = file_batches(path, _BATCH).map(
        lambda batch: tf.io.parse_example(batch, spec)
    )
    for columns in parsed.prefetch(1):
        arrays = [list_column(columns[field.name]) for field in schema]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
