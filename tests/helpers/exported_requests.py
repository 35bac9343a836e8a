"""Raw impressions, as each signature of an exported model takes them."""

import numpy as np
import tensorflow as tf

from tests.helpers.small_transform import HOUR_MS, feature_row

TASKS = ("long_view", "like")
FILLERS = {tf.string: "", tf.float32: float("nan"), tf.int64: -1}
TOLERANCE = {"atol": 1e-5, "rtol": 0}


def impressions():
    """Known and unknown ids, missing values, histories from none to too long."""

    def history(*videos):
        return {
            "history_video_ids": list(videos),
            "history_author_ids": ["a0"] * len(videos),
            "history_tags": ["t1"] * len(videos),
            "history_gap_ms": [5 * HOUR_MS * k for k in range(len(videos), 0, -1)],
        }

    known = {"author_id": "a1", "country": "CN", "loudness": 9.0, "battery": 3.0}
    ages = {"video_age_hours": 30.0, "hours_since_first_launch": 5.0}
    return [
        feature_row(**known, **ages, **history("v1", "v2"), avc=9, video_tags=["t2"]),
        feature_row(user_id="u2", video_id="v3", avc=700, is_new_video=1),
        feature_row(user_id="stranger", video_id="fresh", author_id="?", country="??"),
        feature_row(**history("v0", "v1", "v2", "v3", "v4"), topics=["x", "y", "x"]),
        feature_row(**history("v5"), video_tags=["t0", "?", "t1"], topics=["y"]),
        feature_row(**ages, **known, user_id="u3", is_new_user=1, user_group="new"),
    ]


def dense(columns, rows, extra_padding=0):
    """Rows as the named tensors of a request."""
    inputs = {}
    for column in columns:
        values = [row.get(column.name) for row in rows]
        filler = FILLERS[column.dtype]
        if column.kind == "list":
            values = [value or [] for value in values]
            width = max(map(len, values), default=0) + extra_padding
            values = [v + [filler] * (width - len(v)) for v in values]
            tensor = tf.constant(values, column.dtype, shape=[len(rows), width])
        else:
            values = [filler if value is None else value for value in values]
            tensor = tf.constant(values, column.dtype)
        inputs[column.name] = tensor
    return inputs


def rank_inputs(columns, user, videos):
    of_user = [column for column in columns if not column.candidate]
    of_videos = [column for column in columns if column.candidate]
    return {**dense(of_user, [user]), **dense(of_videos, videos)}


def stacked(scores):
    return np.stack([scores[task].numpy() for task in TASKS], axis=1)
