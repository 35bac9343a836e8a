"""A log's examples, made on a Beam runner: for logs that one machine does not hold."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
from tfx.dsl.io import fileio

from pipeline.config import LogConfig
from pipeline.examples.day_split import EVAL, TRAIN
from pipeline.examples.places import Places
from pipeline.examples.splits import count_rows, make_split
from preprocessing.checks.counts import add_counts
from preprocessing.checks.day_window import DayWindow
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.engine.beam.features import BuildFeatures
from preprocessing.engine.beam.outputs import write_rejects, write_state
from preprocessing.engine.beam.read_log import ReadImpressions

COUNTS_FILE = "split_counts.json"


def examples_on_beam(
    pipeline: beam.Pipeline,
    config: LogConfig,
    data_dir: str,
    state_dir: str | None,
    window: DayWindow,
    places: Places,
) -> dict[str, beam.PCollection]:
    """The serialized examples of each split; also writes rejects, state and counts.

    Args:
        pipeline: Where it is computed.
        config: The configuration.
        data_dir: Folder (or file) of the log.
        state_dir: State that the log starts from; None for what the source brings.
        window: Days of the log that are read.
        places: Where state and rejects go; beside the rejects the counts that
            `read_counts` takes once the pipeline has finished.
    """
    log = ReadImpressions(config.source, config.features, data_dir, state_dir, window)
    outputs = (
        pipeline
        | "ReadImpressions" >> log
        | "BuildFeatures" >> BuildFeatures(config.features)
    )
    write_rejects(outputs, places.rejects_dir)
    write_state(outputs, places.state_dir, config.features)
    counts = (
        outputs.features
        | "CountTable" >> beam.Map(count_rows, config)
        | "AddCounts" >> beam.CombineGlobally(add_counts)
    )
    _ = (
        counts
        | "CountsAsJson" >> beam.Map(_counts_to_json)
        | "WriteCounts"
        >> beam.io.WriteToText(
            os.path.join(places.rejects_dir, COUNTS_FILE),
            num_shards=1,
            shard_name_template="",
        )
    )
    return {
        name: outputs.features
        | f"Select[{name}]"
        >> beam.ParDo(
            _EncodeSplit(config, name, window.last), beam.pvalue.AsSingleton(counts)
        )
        for name in (TRAIN, EVAL)
    }


def read_counts(rejects_dir: str) -> Counter[int]:
    """Rows by day or split, by `splits.count_rows`; removes their file."""
    path = os.path.join(rejects_dir, COUNTS_FILE)
    with fileio.open(path) as file:
        counts = json.loads(file.read())
    fileio.remove(path)
    return Counter({int(key): count for key, count in counts.items()})


class _EncodeSplit(beam.DoFn):
    """The serialized examples of a feature table's rows that belong to a split."""

    def __init__(self, config: LogConfig, name: str, last: int | None):
        self._config = config
        self._name = name
        self._last = last

    def process(self, table: pa.Table, counts: Counter[int]) -> Iterator[bytes]:
        split = make_split(self._config, counts, self._last)
        yield from encode_examples(split.select(table, self._name))


def _counts_to_json(counts: Counter[int]) -> str:
    return json.dumps({str(key): counts[key] for key in sorted(counts)})
