"""What is guessed of a log, each guess with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from preprocessing.storage.files import SourceError


class UnusableLogError(SourceError):
    """A log that cannot be trained on; the message says in one line what is missing."""


@dataclass(frozen=True)
class Guess:
    """What one of the contract's columns, or a label's, comes from.

    Attributes:
        name: The column that the configuration uses.
        origin: What `source.columns` says of it: the log's column, or a mapping.
        column: The log's columns, in words.
        why: What speaks for it.
        sure: Whether nothing else comes near.
        alternatives: Other origins, and why each is possible.
    """

    name: str
    origin: str | Mapping[str, Any]
    column: str
    why: str
    sure: bool = True
    alternatives: tuple[tuple[str | Mapping[str, Any], str], ...] = ()


@dataclass(frozen=True)
class LabelGuess:
    """A label and its task.

    Attributes:
        name: Of label and task.
        label: The entry of `features.labels`.
        why: What speaks for it.
        sure: Whether it is plain that this is to be predicted.
        weight: Of the task's loss and in the fused score.
        positive_share: Of the sample's rows; None where it is not known.
    """

    name: str
    label: Mapping[str, Any]
    why: str
    sure: bool = True
    weight: float = 1.0
    positive_share: float | None = None


@dataclass(frozen=True)
class ExtraGuess:
    """A further feature.

    Attributes:
        name: The configuration's name.
        column: The log's name.
        entity: user, video or context.
        type: categorical, numeric or list.
        why: What speaks for it.
    """

    name: str
    column: str
    entity: str
    type: str
    why: str


@dataclass(frozen=True)
class LogGuess:
    """A whole configuration, guessed.

    Attributes:
        source: Entries of the section `source` but for its columns.
        columns: The contract's columns and those that labels read.
        labels: At least one.
        extras: Further features.
        left_out: The log's other columns, and why they are no features.
        features: Further entries of the section `features`, each with a reason.
        split: Entries of the section `split`, and their reason.
        split_why: Why the split is as it is.
        vocabularies: `min_count` by column of ids.
        training: Entries of the section `training`.
        notes: What a person should know before trusting it, a sentence each.
        comments: Suggestions for the section `source`, as lines of YAML comments.
        sampled: What was looked at, in words.
    """

    source: Mapping[str, Any]
    columns: tuple[Guess, ...]
    labels: tuple[LabelGuess, ...]
    extras: tuple[ExtraGuess, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    features: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    split_why: str = ""
    vocabularies: Mapping[str, int] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    sampled: str = ""
