"""`EvaluationRows` made of lists of users, videos and labels."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.evaluation.scores import EvaluationRows
from preprocessing.contract.column_names import USER_GROUPS


def evaluation_rows(
    labels: Mapping[str, Sequence[int]],
    users: Sequence[str] | None = None,
    videos: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    new: Sequence[int] | None = None,
) -> EvaluationRows:
    """Rows of regular users and old videos where nothing else is said."""
    rows = len(next(iter(labels.values())))
    videos = videos or ["v"] * rows
    known = sorted(set(videos))
    return EvaluationRows(
        users=np.unique(users or ["u"] * rows, return_inverse=True)[1].astype(np.int32),
        videos=np.array([known.index(video) for video in videos], np.int32),
        video_ids=[video.encode() for video in known],
        user_groups=np.array(
            [USER_GROUPS.index(group) for group in groups or ["regular"] * rows],
            np.int8,
        ),
        is_new_video=np.array(new or [0] * rows) == 1,
        labels={task: np.array(values, np.int8) for task, values in labels.items()},
    )
