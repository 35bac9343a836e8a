"""A split's rows as numbers, and the scores that models give them, in one pass.

Nothing here holds a split's examples: of each row a few numbers are kept, which exact
GAUC needs, and of each user and video one id.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from pipeline.examples.example_files import batches_in_any_order, serialized_batches
from pipeline.examples.id_codes import IdCodes
from preprocessing.contract.column_names import UNKNOWN_LABEL, USER_GROUPS
from preprocessing.engine.cores import usable_cores

_GROUP_CODES = {name.encode(): code for code, name in enumerate(USER_GROUPS)}
_OTHER_GROUP = -1
_COUNTED_BATCH = 8192

Scores = dict[str, np.ndarray]


@dataclass(frozen=True)
class EvaluationRows:
    """What evaluation needs of a split beside the scores; every array is [rows].

    Attributes:
        users: int32, one number per user.
        videos: int32, places in `video_ids`.
        video_ids: The ids of the videos, each once.
        user_groups: int8, places in `USER_GROUPS`; -1 for any other group.
        is_new_video: bool.
        labels: int8 0, 1 or `UNKNOWN_LABEL`, by task.
    """

    users: np.ndarray
    videos: np.ndarray
    video_ids: Sequence[bytes]
    user_groups: np.ndarray
    is_new_video: np.ndarray
    labels: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.users)

    def known_labels(self, task: str) -> np.ndarray:
        """A task's labels without the unknown ones."""
        labels = self.labels[task]
        return labels[labels != UNKNOWN_LABEL]


class LabelCounts(NamedTuple):
    """How many of a task's labels are known, and how many of these are 1."""

    known: int = 0
    positives: int = 0


@dataclass(frozen=True)
class VideoCounts:
    """How often the videos of a split were shown, and how often a label was 1.

    Attributes:
        rows: Impressions in all.
        impressions: Impressions whose label is known, by video id.
        positives: Impressions with the label 1, by video id.
        tasks: What is known of each task's labels.
    """

    rows: int
    impressions: Mapping[bytes, int]
    positives: Mapping[bytes, int]
    tasks: Mapping[str, LabelCounts] = field(default_factory=dict)


class ExportedModel:
    """A SavedModel that scores serialized examples in this process.

    Args:
        model_dir: The SavedModel, with the signature `serving_default`.
    """

    def __init__(self, model_dir: str):
        self._loaded = tf.saved_model.load(model_dir)  # its functions need it alive
        self._signature = self._loaded.signatures["serving_default"]

    def score(self, examples: tf.Tensor) -> Scores:
        """Each task's scores, float32 [batch], of serialized examples [batch]."""
        scores = self._signature(examples=examples)
        return {task: values.numpy() for task, values in scores.items()}


# Evaluator, ServingValidator and ReportGen ask for the same ones, one after the other;
# to load one takes as long as to score 50,000 examples.
exported_model = lru_cache(maxsize=2)(ExportedModel)


def score_split(
    model_dirs: Mapping[str, str], split_dir: str, tasks: Sequence[str]
) -> tuple[EvaluationRows, dict[str, Scores]]:
    """Reads a split once; scores it by every model on the way.

    Args:
        model_dirs: SavedModels by name; without any the split is only read.
        split_dir: A split of raw examples.
        tasks: Labels to read, which are the models' outputs; a model may lack some.

    Returns:
        The rows, and by model and task the scores, float32 [rows].
    """
    models = {name: exported_model(place) for name, place in model_dirs.items()}
    reader = _RowReader(tasks)
    parts: dict[str, list[Scores]] = {name: [] for name in models}
    # A batch's operations follow one another: a core each is filled by other batches.
    cores = usable_cores()
    with ThreadPoolExecutor(cores) as pool:
        begun: deque[tuple[str, Future[Scores]]] = deque()
        for batch in serialized_batches(split_dir):
            for name, model in models.items():
                begun.append((name, pool.submit(model.score, batch)))
            reader.add(batch)
            while len(begun) > cores + len(models):
                _take_first(begun, parts)
        while begun:
            _take_first(begun, parts)
    scores = {name: _joined(parts[name]) for name in models}
    return reader.rows(), {
        name: {task: by_task[task] for task in tasks if task in by_task}
        for name, by_task in scores.items()
    }


def _take_first(
    begun: deque[tuple[str, Future[Scores]]], parts: Mapping[str, list[Scores]]
) -> None:
    """Waits for the batch that was begun first; so batches stay in their order."""
    name, scores = begun.popleft()
    parts[name].append(scores.result())


def count_videos(
    split_dir: str, task: str, other_tasks: Sequence[str] = ()
) -> VideoCounts:
    """Counts a split's videos in one pass.

    Args:
        split_dir: A split of raw examples.
        task: Whose label to count by video.
        other_tasks: Whose labels to count over all videos, as that of `task`.
    """
    tasks = dict.fromkeys((task, *other_tasks), LabelCounts())
    spec = {"video_id": tf.io.FixedLenFeature([], tf.string), **_label_spec(tasks)}
    rows = 0
    impressions: Counter[bytes] = Counter()
    positives: Counter[bytes] = Counter()

    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        return tf.io.parse_example(serialized, spec)

    for batch in batches_in_any_order(split_dir, parse, _COUNTED_BATCH):
        parsed = {name: values.numpy() for name, values in batch.items()}
        videos = parsed["video_id"]
        rows += len(videos)
        impressions.update(videos[parsed[task] != UNKNOWN_LABEL].tolist())
        positives.update(videos[parsed[task] == 1].tolist())
        for name, counts in tasks.items():
            known = int((parsed[name] != UNKNOWN_LABEL).sum())
            positive = int((parsed[name] == 1).sum())
            tasks[name] = LabelCounts(counts.known + known, counts.positives + positive)
    return VideoCounts(rows, impressions, positives, tasks)


def popularity_scores(
    past: VideoCounts, rows: EvaluationRows, smoothing: float = 20.0
) -> np.ndarray:
    """Scores, float64 [rows], by the video's label rate in the past.

    Each rate is shrunk to the mean: `(positives + smoothing * mean) / (impressions +
    smoothing)`, which for a video that the past has not seen is the mean itself. Where
    no label of the past is known, all scores are 0.

    Args:
        past: Counts of impressions from before those of `rows`.
        rows: What to score.
        smoothing: Impressions' worth of the mean rate that each video starts with.
    """
    known = sum(past.impressions.values())
    mean = sum(past.positives.values()) / known if known else 0.0
    ids = rows.video_ids
    seen = np.array([past.impressions.get(video, 0) for video in ids], np.float64)
    positives = np.array([past.positives.get(video, 0) for video in ids], np.float64)
    rates = (positives + smoothing * mean) / (seen + smoothing)
    return np.where(seen > 0, rates, mean)[rows.videos]


class _RowReader:
    """Collects `EvaluationRows` from batches of serialized examples."""

    def __init__(self, tasks: Sequence[str]):
        self._tasks = tuple(tasks)
        self._users, self._videos = IdCodes(), IdCodes()
        self._parts: list[Scores] = []
        self._spec = {
            **{
                name: tf.io.FixedLenFeature([], tf.string)
                for name in ("user_id", "video_id", "user_group")
            },
            "is_new_video": tf.io.FixedLenFeature([], tf.int64),
            **_label_spec(self._tasks),
        }

    def add(self, batch: tf.Tensor) -> None:
        parsed = tf.io.parse_example(batch, self._spec)
        values = {name: value.numpy() for name, value in parsed.items()}
        groups = [_GROUP_CODES.get(g, _OTHER_GROUP) for g in values["user_group"]]
        self._parts.append(
            {
                "user_id": self._users.encode(values["user_id"]),
                "video_id": self._videos.encode(values["video_id"]),
                "user_group": np.array(groups, np.int8),
                "is_new_video": values["is_new_video"] == 1,
                **{task: values[task].astype(np.int8) for task in self._tasks},
            }
        )

    def rows(self) -> EvaluationRows:
        columns = _joined(self._parts)
        return EvaluationRows(
            users=columns["user_id"],
            videos=columns["video_id"],
            video_ids=self._videos.ids,
            user_groups=columns["user_group"],
            is_new_video=columns["is_new_video"],
            labels={task: columns[task] for task in self._tasks},
        )


def _label_spec(tasks: Iterable[str]) -> dict[str, tf.io.FixedLenFeature]:
    """How labels are parsed: an example lacks one that is not known."""
    return {
        name: tf.io.FixedLenFeature([], tf.int64, default_value=UNKNOWN_LABEL)
        for name in tasks
    }


def _joined(parts: Sequence[Scores]) -> Scores:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
