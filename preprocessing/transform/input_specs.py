"""What the Transform hands to the model: one entry per input, in one place.

`transform.graph` computes these inputs, the ranking model embeds them, and the serving
signatures know from `side` what belongs to the user and what to a candidate.
In every integer input 0 means "missing" or "padding".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from preprocessing.contract.column_names import USER_KEY as USER_KEY
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.rates import Subject, count_column, rate_column
from preprocessing.transform.config import Boundaries, TransformConfig

Kind = Literal["id", "id_list", "bucket", "numeric", "history"]
Side = Literal["user", "video", "context"]


@dataclass(frozen=True)
class InputSpec:
    """One transformed tensor.

    Attributes:
        name: Name of the transformed tensor.
        kind: `id` [batch] int64; `id_list` [batch, length] int64, right-padded;
            `bucket` [batch] int64; `numeric` [batch] float32; `history`
            [batch, length] int64, oldest first, right-padded.
        side: Whose property it is.
        table: Vocabulary and embedding table; shared between an id and its histories.
        length: Entries of a list.
        boundaries: Upper bounds of a bucket input.
        quantiles: Buckets of equal counts, fitted to the data, instead.
        logarithm: Whether a numeric input is scaled as ln(1 + x), as counts are.
        column: The feature-table column that it is made of; by default the one of its
            name. Two inputs may be made of one column.
    """

    name: str
    kind: Kind
    side: Side
    table: str = ""
    length: int = 0
    boundaries: Boundaries = ()
    quantiles: int = 0
    logarithm: bool = False
    column: str = ""

    def __post_init__(self) -> None:
        if not self.column:
            object.__setattr__(self, "column", self.name)

    @property
    def bucket_values(self) -> int:
        """How many values a bucket input takes; 0, missing, is one of them."""
        return 1 + (self.quantiles or len(self.boundaries) + 1)


def input_specs(
    features: FeatureConfig, transform: TransformConfig
) -> tuple[InputSpec, ...]:
    """The model's inputs under a configuration, in a fixed order."""
    age = transform.age_hours_boundaries
    flag: Boundaries = (1,)
    inputs = [
        InputSpec("user_id", "id", "user", "user_id"),
        InputSpec(
            "avc",
            "bucket",
            "user",
            boundaries=transform.avc_boundaries,
            quantiles=transform.avc_quantiles or 0,
        ),
        InputSpec("hours_since_first_launch", "bucket", "user", boundaries=age),
        InputSpec("active_days_7", "bucket", "user", boundaries=(1, 2, 3, 4, 5, 6, 7)),
        InputSpec("is_new_user", "bucket", "user", boundaries=flag),
        InputSpec("video_id", "id", "video", "video_id"),
        InputSpec("author_id", "id", "video", "author_id"),
        InputSpec("video_tags", "id_list", "video", "video_tags", transform.max_tags),
        InputSpec("video_age_hours", "bucket", "video", boundaries=age),
        InputSpec(
            "video_impressions",
            "bucket",
            "video",
            boundaries=transform.count_boundaries,
        ),
        InputSpec("is_new_video", "bucket", "video", boundaries=flag),
    ]
    for column, table in HISTORIES.items():
        inputs.append(
            InputSpec(column, "history", "user", table, features.history_length)
        )
    for subject in features.rate_subjects:
        for label in features.rate_labels:
            inputs += _of_rate(subject, label, transform)
    for extra in features.inputs:
        if extra.type == "numeric":
            inputs.append(InputSpec(extra.name, "numeric", extra.entity))
        elif extra.type == "categorical":
            inputs.append(InputSpec(extra.name, "id", extra.entity, extra.name))
        else:
            inputs.append(
                InputSpec(
                    extra.name, "id_list", extra.entity, extra.name, transform.max_list
                )
            )
    return tuple(inputs)


def input_columns(
    features: FeatureConfig, transform: TransformConfig
) -> tuple[str, ...]:
    """The feature-table columns that the model's inputs are made of, each once."""
    made_of = (spec.column for spec in input_specs(features, transform))
    return (*dict.fromkeys(made_of), HISTORY_GAP)


def bucket_input(column: str) -> str:
    """Name of the input that holds the bucket of a rate or a count."""
    return f"{column}_bucket"


def _of_rate(
    subject: Subject, label: str, transform: TransformConfig
) -> Iterator[InputSpec]:
    count, rate = count_column(subject.name, label), rate_column(subject.name, label)
    yield InputSpec(count, "numeric", subject.side, logarithm=True)
    yield InputSpec(rate, "numeric", subject.side)
    if transform.rate_buckets:
        yield InputSpec(
            bucket_input(count),
            "bucket",
            subject.side,
            boundaries=transform.count_boundaries,
            column=count,
        )
        yield InputSpec(
            bucket_input(rate),
            "bucket",
            subject.side,
            quantiles=transform.rate_buckets,
            column=rate,
        )


HISTORIES = {
    "history_video_ids": "video_id",
    "history_author_ids": "author_id",
    "history_tags": "video_tags",
}
HISTORY_GAP = "history_gap_ms"
