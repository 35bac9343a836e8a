"""The Transform's graph as a server runs it: examples to the model's inputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_transform.saved import saved_transform_io_v2
from tfx_bsl.public import tfxio

from benchmarks.feature_engine.logs import ROOT
from benchmarks.interleaved import Rounds, calls, measure
from pipeline.config import RunConfig, load_config
from pipeline.examples.schema import example_schema
from pipeline.model.export import raw_columns
from preprocessing import compute_feature_table, encode_examples
from preprocessing.transform.graph import preprocessing_fn, transform_custom_config

ANALYZED_ROWS = 100_000
Call = Callable[[], Any]


def transform_rounds(log_dir: Path, batches: tuple[int, ...]) -> Rounds:
    """Times the graph on batches of a log's examples, by batch size as text.

    A call maps serialized `tf.Example`s, as `serving_default` takes them, to all of the
    model's inputs. Runs in a process of its own, for TensorFlow is noisy at its end.

    Args:
        log_dir: a Parquet log for `configs/demo.yaml`, which is also analyzed.
        batches: examples a call.
    """
    command = [sys.executable, "-m", __name__, str(log_dir), *map(str, batches)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the serving graph was not timed:\n{done.stderr[-4000:]}")
    seconds = json.loads(done.stdout.splitlines()[-1])
    return Rounds({name: np.array(values) for name, values in seconds.items()})


def _transform_calls(log_dir: str, batches: list[int]) -> dict[str, Call]:
    config = load_config(ROOT / "configs" / "demo.yaml")
    table = compute_feature_table(config.source, config.features, log_dir).features
    rng = np.random.default_rng(0)
    rows = rng.permutation(table.num_rows)[:ANALYZED_ROWS]
    examples = encode_examples(table.take(pa.array(rows)))
    with tempfile.TemporaryDirectory() as folder:
        _analyze(examples, config, folder)
        serve = _serving_function(config, folder)
        made = {str(n): _call(serve, tf.constant(examples[:n])) for n in batches}
        for call in made.values():
            call()  # The folder's vocabularies are read before it goes.
    return made


def _call(serve: Any, examples: tf.Tensor) -> Call:
    return lambda: serve(examples)


def _analyze(examples: list[bytes], config: RunConfig, folder: str) -> None:
    source = tfxio.TFExampleBeamRecord(
        physical_format="inline", schema=example_schema(config)
    )
    settings = transform_custom_config(config.features, config.transform)
    options = PipelineOptions(["--direct_running_mode=in_memory"])
    with (
        beam.Pipeline(options=options) as pipeline,
        tft_beam.Context(temp_dir=os.path.join(folder, "tmp")),
    ):
        batches = pipeline | beam.Create(examples, reshuffle=False)
        graph = (
            batches | source.BeamSource(),
            source.TensorAdapterConfig(),
        ) | tft_beam.AnalyzeDataset(lambda inputs: preprocessing_fn(inputs, settings))
        graph | tft_beam.WriteTransformFn(folder)


def _serving_function(config: RunConfig, folder: str) -> Any:
    """Parsing and the Transform's graph, as `pipeline.model.export` builds them in."""
    output = tft.TFTransformOutput(folder)
    loader = saved_transform_io_v2.SavedModelLoader(output.transform_savedmodel_dir)
    parsing = {column.name: column.parsing for column in raw_columns(config)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        raw = tf.io.parse_example(examples, parsing)
        return loader.apply_transform_model(raw)

    return serve


if __name__ == "__main__":
    timed = measure(
        {
            name: calls(call)
            for name, call in _transform_calls(
                sys.argv[1], [int(size) for size in sys.argv[2:]]
            ).items()
        }
    )
    print(json.dumps({name: list(took) for name, took in timed.seconds.items()}))
