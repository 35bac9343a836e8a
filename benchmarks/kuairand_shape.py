"""Made-up training data and models of the shape of KuaiRand's, as `configs/` has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf

from pipeline.config import TrainerPart, load_config
from pipeline.model.embeddings import GAP_BUCKETS
from pipeline.model.ranking_model import RankingModel
from pipeline.training.optimizers.build import (
    build_optimizer,
    create_optimizer_variables,
)
from preprocessing.datasets.tf_examples import encode_examples
from preprocessing.transform.input_specs import HISTORY_GAP, USER_KEY, input_specs

# Rows of the tables that the data set's vocabularies make, about.
ROWS = {
    "user_id": 20_000,
    "video_id": 7_500,
    "author_id": 6_500,
    "video_tags": 70,
    "tab": 15,
    "video_type": 4,
    "upload_type": 30,
    "music_type": 6,
}
BATCH = 4096
_ROOT = Path(__file__).resolve().parents[1]
_ROWS_PER_FILE = 16_384

Batch = dict[str, Any]


def training_config(*overrides: str) -> TrainerPart:
    """What the trainer reads of `configs/kuairand.yaml`, at the benchmark's batch."""
    path = _ROOT / "configs" / "kuairand.yaml"
    config = load_config(path, [f"training.batch_size={BATCH}", *overrides])
    return config.part(TrainerPart)


def new_model(
    config: TrainerPart, batch: Batch, rows: Mapping[str, int] = ROWS
) -> RankingModel:
    """A compiled model, its weights and its optimizer's variables made."""
    gaps = len(config.transform.gap_hours_boundaries) + 2
    model = RankingModel(config, {**rows, GAP_BUCKETS: gaps})
    model.compile(optimizer=build_optimizer(config.training, model))
    model({name: value[:2] for name, value in batch.items()})
    create_optimizer_variables(model)
    return model


class RandomExamples:
    """Transformed examples with random values; histories of every length.

    Args:
        config: Decides the columns.
        rows: Rows of the tables, which bound the ids.
        seed: Decides the values.
    """

    def __init__(
        self, config: TrainerPart, rows: Mapping[str, int] = ROWS, seed: int = 1
    ):
        self._config = config
        self._specs = input_specs(config.features, config.transform)
        self._rows = rows
        self._random = np.random.default_rng(seed)

    def transformed_feature_spec(self) -> dict[str, tf.io.FixedLenFeature]:
        """As `tft.TFTransformOutput` tells it, which readers are given."""
        columns = self.columns(1)
        return {
            name: tf.io.FixedLenFeature(value.shape[1:], tf.as_dtype(value.dtype))
            for name, value in columns.items()
        }

    def batch(self, rows: int = BATCH) -> Batch:
        """One batch in memory, labels among its tensors."""
        return {name: tf.constant(v) for name, v in self.columns(rows).items()}

    def write(self, folder: Path, rows: int) -> list[str]:
        """Writes gzipped TFRecord files, as the Transform does; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for start in range(0, rows, _ROWS_PER_FILE):
            path = str(folder / f"data-{start:09d}.gz")
            with tf.io.TFRecordWriter(path, options="GZIP") as writer:
                for example in self.serialized(min(_ROWS_PER_FILE, rows - start)):
                    writer.write(example)
            paths.append(path)
        return paths

    def serialized(self, rows: int) -> list[bytes]:
        """Serialized examples."""
        columns = {
            name: value.tolist() if value.ndim > 1 else value
            for name, value in self.columns(rows).items()
        }
        return encode_examples(pa.table(columns))

    def columns(self, rows: int) -> dict[str, np.ndarray]:
        """The columns as arrays [rows] or [rows, length], in a fixed order."""
        length = self._config.features.history_length
        known = self._known(rows, length)
        columns = {spec.name: self._column(spec, rows, known) for spec in self._specs}
        gaps = len(self._config.transform.gap_hours_boundaries) + 2
        columns[HISTORY_GAP] = self._random.integers(1, gaps, (rows, length)) * known
        columns[USER_KEY] = self._random.integers(0, 2**62, rows)
        for task in self._config.task_names:
            labels = self._random.random(rows) < 0.3
            columns[task] = labels.astype(np.float32)
        return columns

    def _column(self, spec: Any, rows: int, known: np.ndarray) -> np.ndarray:
        if spec.kind == "numeric":
            return self._random.normal(size=rows).astype(np.float32)
        if spec.kind == "bucket":
            return self._random.integers(0, spec.bucket_values, rows)
        if spec.kind == "id":
            return self._random.integers(1, self._rows[spec.table], rows)
        ids = self._random.integers(1, self._rows[spec.table], (rows, spec.length))
        return ids * known if spec.kind == "history" else ids

    def _known(self, rows: int, length: int) -> np.ndarray:
        """[rows, length], 1 for events and 0 for padding; half have whole histories."""
        lengths = self._random.integers(0, 2 * length, rows)
        return (np.arange(length) < lengths[:, None]).astype(np.int64)


def endless(batches: Any) -> Iterator[Batch]:
    """The batches of `batches(0)`, `batches(1)` and so on, without end."""
    epoch = 0
    while True:
        yield from batches(epoch)
        epoch += 1
