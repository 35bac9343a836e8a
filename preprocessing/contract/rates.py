"""Rates of earlier impressions: of what, of which labels, by which clock.

A *subject* is what is counted: a video, an author, a tag, a user, a declared feature
(`features.extra`), or two of these crossed, such as `user_x_author`. Of each subject
and label the feature table has two columns, `video_like_count` and `video_like_rate`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from preprocessing.contract.column_names import AUTHOR_ID, TAGS, USER_ID, VIDEO_ID
from preprocessing.contract.names import Name

Clock = Literal["moment", "day"]
# Which pass over the impressions has all of a subject's rows together.
Pass = Literal["users", "videos", "subjects"]
Side = Literal["user", "video", "context"]

KEY_COLUMNS = {"user": USER_ID, "video": VIDEO_ID, "author": AUTHOR_ID, "tag": TAGS}
MOST_LABELS = 31
DEFAULT_SUBJECTS = ("video", "author", "tag", "user", "user_x_author", "user_x_tag")

_CROSS = "_x_"
_COUNT, _RATE = _ENDINGS = ("_count", "_rate")
_PASSES: dict[str, Pass] = {USER_ID: "users", VIDEO_ID: "videos"}
_FIRST = ("user", "video")
_SIDES: dict[str, Side] = {
    "user": "user",
    **dict.fromkeys(("video", "author", "tag"), "video"),
}
_SIDE_ORDER = ("user", "context", "video")  # a cross is its later part's


class SubjectConfig(BaseModel):
    """How the impressions of one subject are counted."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    clock: Clock | None = Field(
        None,
        description="moment: impressions strictly before this one; day: those of "
        "earlier days, so that numbers stand still until the day turns. By default a "
        "user's, and those of a user crossed with anything, go by the day, others by "
        "the moment.",
    )
    half_life_days: float | None = Field(
        None,
        gt=0,
        description="An impression counts half so many days later; by whole days. "
        "Without it, all impressions count alike.",
    )


class RatesConfig(BaseModel):
    """What earlier impressions say of videos, authors, tags, users and crosses."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    labels: tuple[Name, ...] = Field(
        (), description="Labels whose rates are computed; by default all."
    )
    subjects: dict[str, SubjectConfig] = Field(
        default_factory=lambda: {name: SubjectConfig() for name in DEFAULT_SUBJECTS},
        min_length=1,
        description="user, video, author, tag, a categorical or list feature of "
        "features.extra, or two of them joined by _x_, the user or else the video "
        "first.",
    )
    strength: float = Field(
        20.0,
        gt=0,
        description="How many impressions weigh as much as the whole log's rate, "
        "towards which each rate is smoothed.",
    )
    prior: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Stands for the whole log's rate of a label until a day with "
        "impressions is over.",
    )


@dataclass(frozen=True)
class Subject:
    """A subject of the configuration.

    Attributes:
        name: Of the configuration, such as "user_x_author".
        columns: The one or two columns of an impression whose values are its key.
        clock: Which earlier impressions count.
        half_life_days: None where all count alike.
        side: Whose property its rates are, as the model takes them: the user's, the
            context's (given once in a request, as the user's are), or a candidate's.
    """

    name: str
    columns: tuple[str, ...]
    clock: Clock
    half_life_days: float | None
    side: Side

    @property
    def counted_in(self) -> Pass:
        """The pass that has all impressions of a key together."""
        return _PASSES.get(self.columns[0], "subjects")


class KeyFeature(NamedTuple):
    """A declared feature that may be a key: whose it is, and whether it is a list."""

    side: Side
    is_list: bool


def rate_column(subject: str, label: str) -> str:
    """Name of the column that holds a label's rate."""
    return f"{subject}_{label}{_RATE}"


def count_column(subject: str, label: str) -> str:
    """Name of the column that holds the number of impressions behind a rate."""
    return f"{subject}_{label}{_COUNT}"


def may_be_rate_column(name: str) -> bool:
    """Whether a name is formed as those of columns of rates and counts are."""
    return name.endswith(_ENDINGS)


def rate_columns_of(subject: str, labels: Sequence[str]) -> tuple[str, ...]:
    """A subject's columns: count and rate of each label."""
    return tuple(
        column(subject, label)
        for label in labels
        for column in (count_column, rate_column)
    )


def find_subject(
    name: str, settings: SubjectConfig, features: Mapping[str, KeyFeature]
) -> Subject:
    """The subject that a configuration names.

    Args:
        name: Such as "video" or "user_x_tag".
        settings: How it is counted.
        features: Further features that may be keys, by name.

    Raises:
        ValueError: There is no such subject.
    """
    columns = {**{feature: feature for feature in features}, **KEY_COLUMNS}
    sides = {**{n: feature.side for n, feature in features.items()}, **_SIDES}
    parts = _parts(name, columns)
    lists = {"tag", *(n for n, feature in features.items() if feature.is_list)}
    if not parts or len(set(parts)) < len(parts) or _both(parts, lists):
        known = ", ".join(columns)
        raise ValueError(
            f"rates: subjects: expected one of {known}, or two different ones joined "
            f"by {_CROSS}, at most one of them a list. Received: '{name}'"
        )
    first = next((part for part in _FIRST if part in parts), parts[0])
    if parts[0] != first:
        raise ValueError(
            f"rates: subjects: a cross begins with the {first}: expected "
            f"'{first}{_CROSS}{parts[0]}'. Received: '{name}'"
        )
    clock: Clock = "day" if first == "user" else "moment"
    return Subject(
        name,
        tuple(columns[part] for part in parts),
        settings.clock or clock,
        settings.half_life_days,
        max((sides[part] for part in parts), key=_SIDE_ORDER.index),
    )


def _both(parts: tuple[str, ...], lists: set[str]) -> bool:
    return len(parts) > 1 and lists >= set(parts)


def _parts(name: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """The one or two known names that a subject's is made of; none if it is not."""
    if name in known:
        return (name,)
    words = name.split(_CROSS)
    for end in range(1, len(words)):
        parts = (_CROSS.join(words[:end]), _CROSS.join(words[end:]))
        if parts[0] in known and parts[1] in known:
            return parts
    return ()
