"""What is guessed of a log, each guess with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

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
        columns: Where its column comes from, if not from the log as it is.
        reads: The log's columns that it reads, which are no features then.
        positive: Which of the sample's rows have it, float64 [rows], NaN for unknown.
    """

    name: str
    label: Mapping[str, Any]
    why: str
    sure: bool = True
    weight: float = 1.0
    columns: Mapping[str, Any] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    positive: np.ndarray = field(
        default_factory=lambda: np.array([]), compare=False, repr=False
    )

    @property
    def positive_share(self) -> float:
        """Share of the sample's rows that have the label; NaN where none is known."""
        known = self.positive[~np.isnan(self.positive)]
        return float(known.mean()) if len(known) else float("nan")


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
        further_labels: Others that could be trained, too.
        extras: Further features.
        left_out: The log's other columns, and why they are no features.
        features: Further entries of the section `features`, each with a reason.
        split: Entries of the section `split`, and their reason.
        split_why: Why the split is as it is.
        split_sure: Whether it is plain.
        vocabularies: `min_count` by column of ids.
        training: Entries of the section `training`.
        notes: What a person should know before trusting it, a sentence each.
        sampled: What was looked at, in words.
    """

    source: Mapping[str, Any]
    columns: tuple[Guess, ...]
    labels: tuple[LabelGuess, ...]
    further_labels: tuple[LabelGuess, ...] = ()
    extras: tuple[ExtraGuess, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    features: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    split: Mapping[str, Any] = field(default_factory=dict)
    split_why: str = ""
    split_sure: bool = True
    vocabularies: Mapping[str, int] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sampled: str = ""

    def with_note(self, note: str) -> LogGuess:
        """The same with one note more."""
        return replace(self, notes=(*self.notes, note))
