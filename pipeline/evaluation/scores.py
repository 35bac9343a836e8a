"""A split's examples as arrays, and a SavedModel's scores of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from pipeline.examples.example_files import serialized_batches


@dataclass(frozen=True)
class Impressions:
    """What evaluation needs of a split; every array is [rows].

    Attributes:
        user_ids: bytes.
        video_ids: bytes.
        user_groups: bytes: new, returning, inactive or regular.
        is_new_video: int64, 0 or 1.
        labels: float32 0 or 1, by task.
    """

    user_ids: np.ndarray
    video_ids: np.ndarray
    user_groups: np.ndarray
    is_new_video: np.ndarray
    labels: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.user_ids)


def read_impressions(split_dir: str, tasks: Sequence[str]) -> Impressions:
    """Reads the columns of `Impressions` from a split of raw examples."""
    spec: dict[str, tf.io.FixedLenFeature] = {
        "user_id": tf.io.FixedLenFeature([], tf.string),
        "video_id": tf.io.FixedLenFeature([], tf.string),
        "user_group": tf.io.FixedLenFeature([], tf.string),
        "is_new_video": tf.io.FixedLenFeature([], tf.int64),
        **{task: tf.io.FixedLenFeature([], tf.int64) for task in tasks},
    }
    parsed = [
        {name: value.numpy() for name, value in tf.io.parse_example(b, spec).items()}
        for b in serialized_batches(split_dir)
    ]
    columns = {name: np.concatenate([p[name] for p in parsed]) for name in spec}
    return Impressions(
        user_ids=columns["user_id"],
        video_ids=columns["video_id"],
        user_groups=columns["user_group"],
        is_new_video=columns["is_new_video"],
        labels={task: columns[task].astype(np.float32) for task in tasks},
    )


def score_split(model_dir: str, split_dir: str) -> dict[str, np.ndarray]:
    """Each task's scores [rows] of a split, by the model's `serving_default`."""
    signature = tf.saved_model.load(model_dir).signatures["serving_default"]
    batches = [signature(examples=b) for b in serialized_batches(split_dir)]
    return {
        task: np.concatenate([batch[task].numpy() for batch in batches])
        for task in batches[0]
    }


def past_rate_scores(
    past: Impressions, current: Impressions, task: str, smoothing: float = 20.0
) -> np.ndarray:
    """Scores [rows] by the video's label rate in the past, shrunk to the mean rate.

    Args:
        past: Impressions from before `current`.
        current: Impressions to score.
        task: Whose label.
        smoothing: Impressions' worth of the mean rate that each video starts with.
    """
    labels = past.labels[task]
    mean = float(labels.mean())
    videos, index = np.unique(past.video_ids, return_inverse=True)
    positives = np.bincount(index, weights=labels, minlength=len(videos))
    seen = np.bincount(index, minlength=len(videos))
    rates = (positives + smoothing * mean) / (seen + smoothing)
    place = np.minimum(np.searchsorted(videos, current.video_ids), len(videos) - 1)
    known = videos[place] == current.video_ids
    return np.where(known, rates[place], mean)
