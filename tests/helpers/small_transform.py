"""A Transform of a few handmade feature rows, and what it makes of others."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.saved import saved_transform_io_v2
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder
from tfx_bsl.public import tfxio

from pipeline.config import RunConfig
from pipeline.examples.schema import example_schema
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.features.columns import feature_schema
from preprocessing.transform.graph import preprocessing_fn, transform_custom_config

Row = dict[str, Any]

HOUR_MS = 3_600_000
SETTINGS: dict[str, Any] = {
    "name": "small",
    "source": {"format": "parquet"},
    "features": {
        "history_length": 3,
        "labels": {"long_view": {"rule": "long_view"}, "like": {"column": "is_like"}},
        "extra": [
            {"name": "country", "entity": "user", "type": "categorical"},
            {"name": "loudness", "entity": "video", "type": "numeric"},
            {"name": "topics", "entity": "video", "type": "list"},
            {"name": "battery", "entity": "context", "type": "numeric"},
        ],
    },
    "transform": {
        "max_tags": 2,
        "max_list": 2,
        "vocabularies": {
            "video_id": {"oov_buckets": 2},
            "author_id": {"max_size": 2},
            "user_id": {"min_count": 2},
        },
    },
    "tasks": {"long_view": {}, "like": {"weight": 0.5, "fusion_weight": 0.3}},
    "model": {
        "embedding_dim": 4,
        "bucket_embedding_dim": 2,
        "attention": {"num_heads": 1, "key_dim": 4, "num_modules": 2},
        "mmoe": {"num_experts": 2, "expert_units": [6]},
        "tower_units": [4],
    },
    "training": {"batch_size": 8, "epochs": 3, "learning_rate": 0.01},
    "evaluation": {"min_scored_users": 1},
    "serving": {"warmup_requests": 27, "max_candidates": 8},
}


def settings_with(**sections: dict[str, Any]) -> RunConfig:
    """The small configuration with some values of some sections changed."""
    changed = {name: {**SETTINGS.get(name, {}), **sections[name]} for name in sections}
    return RunConfig.model_validate({**SETTINGS, **changed})


def feature_row(**values: Any) -> Row:
    """A row of the feature table; what is not said is neutral or missing."""
    return {
        "user_id": "u0",
        "video_id": "v0",
        "event_time_ms": 1_650_000_000_000,
        "play_time_ms": 0,
        "video_duration_ms": 1000,
        "is_like": 0,
        "video_impressions": 0,
        "is_new_video": 0,
        "avc": 0,
        "active_days_7": 0,
        "is_new_user": 0,
        "user_group": "regular",
        "long_view": 0,
        "like": 0,
        **values,
    }


def analyzed_rows() -> list[Row]:
    """24 rows of 4 users and 6 videos, and one of a user that is seen once.

    The videos' authors are `a0` (10 times), `a1` (8) and `a2` (6); of two, the
    vocabulary of authors has no room for `a2`.
    """
    rows = []
    for i in range(24):
        video = i % 6
        history = [f"v{(i + k) % 6}" for k in range(i % 5)]
        group = ("new", "returning", "inactive", "regular")[i % 4]
        rows.append(
            feature_row(
                user_id=f"u{i % 4}",
                video_id=f"v{video}",
                event_time_ms=1_650_000_000_000 + i * HOUR_MS,
                author_id=f"a{(0, 0, 1, 1, 2, 0)[video]}",
                video_tags=["t0", "t1", "t2"][: i % 4],
                video_age_hours=None if i % 7 == 0 else float(i),
                video_impressions=i * i,
                is_new_video=i % 2,
                avc=0 if group == "new" else 2 * i,
                hours_since_first_launch=None if i % 5 == 0 else 3.0 * i,
                active_days_7=i % 8,
                is_new_user=int(group == "new"),
                user_group=group,
                history_video_ids=history,
                history_author_ids=["a0" if k % 2 else "" for k in range(len(history))],
                history_tags=["t1"] * len(history),
                history_gap_ms=[k * HOUR_MS for k in range(len(history), 0, -1)],
                country="CN" if i % 3 else None,
                loudness=None if i % 4 == 0 else float(i),
                topics=["x", "y"][: i % 3],
                battery=7.0,
                long_view=int(i % 3 == 0),
                is_like=int(i % 4 in (0, i % 5)),
                like=int(i % 4 in (0, i % 5)),
            )
        )
    return [*rows, feature_row(user_id="once", video_id="v0", author_id="a1")]


@dataclass(frozen=True)
class SmallTransform:
    """The Transform of `analyzed_rows`.

    Attributes:
        config: The run's configuration.
        folder: Holds `graph`, the Transform's output, and the examples of
            `analyzed_rows` in `raw` and `transformed`.
    """

    config: RunConfig
    folder: Path

    @cached_property
    def output(self) -> tft.TFTransformOutput:
        return tft.TFTransformOutput(str(self.folder / "graph"))

    @cached_property
    def _loader(self) -> Any:
        return saved_transform_io_v2.SavedModelLoader(
            self.output.transform_savedmodel_dir
        )

    @property
    def train_files(self) -> list[str]:
        return [str(self.folder / "transformed" / "*.gz")]

    @property
    def split_dir(self) -> str:
        return str(self.folder / "raw")

    def examples(self, rows: list[Row]) -> list[bytes]:
        """Rows as the pipeline's serialized examples."""
        schema = feature_schema(self.config.features)
        return encode_examples(pa.Table.from_pylist(rows, schema=schema))

    def apply(self, *rows: Row) -> dict[str, tf.Tensor]:
        """What the saved graph makes of rows, labels included."""
        raw = tf.io.parse_example(self.examples(list(rows)), raw_spec(self.config))
        return self._loader.apply_transform_model(raw)

    def ids(self, table: str) -> dict[str, int]:
        """The table row of each id in a vocabulary."""
        known = self.output.vocabulary_by_name(table)
        return {token.decode(): row for row, token in enumerate(known, start=1)}


def raw_spec(config: RunConfig) -> dict[str, Any]:
    """How the raw examples' columns are parsed."""
    schema = example_schema(config)
    return tft.tf_metadata.schema_utils.schema_as_feature_spec(schema).feature_spec


def write_examples(examples: list[bytes], folder: Path) -> None:
    """Writes serialized examples as a split of the pipeline."""
    folder.mkdir(parents=True)
    path = os.fspath(folder / "data-00000-of-00001.gz")
    with tf.io.TFRecordWriter(path, options="GZIP") as writer:
        for example in examples:
            writer.write(example)


def transform_rows(config: RunConfig, rows: list[Row], folder: Path) -> None:
    """Fills a `SmallTransform.folder` as the pipeline's Transform component does."""
    examples = SmallTransform(config, folder).examples(rows)
    write_examples(examples, folder / "raw")
    source = tfxio.TFExampleBeamRecord(
        physical_format="inline", schema=example_schema(config)
    )
    with (
        beam.Pipeline() as pipeline,
        tft_beam.Context(temp_dir=str(folder / "tmp")),
    ):
        batches = pipeline | beam.Create(examples, reshuffle=False)
        batches |= source.BeamSource()
        (transformed, _), transform_fn = (
            batches,
            source.TensorAdapterConfig(),
        ) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: preprocessing_fn(
                inputs,
                transform_custom_config(
                    config.features,
                    config.transform,
                    config.training.sample_weights.column,
                ),
            ),
            output_record_batches=True,
        )
        transform_fn | tft_beam.WriteTransformFn(str(folder / "graph"))
        (
            transformed
            | beam.FlatMapTuple(
                lambda batch, _: RecordBatchToExamplesEncoder().encode(batch)
            )
            | beam.io.WriteToTFRecord(
                str(folder / "transformed" / "data"), file_name_suffix=".gz"
            )
        )
