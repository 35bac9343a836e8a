"""Settings that follow from a log's size, users and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from preprocessing.contract.column_names import FIRST_LAUNCH
from preprocessing.log_guess.days import SplitGuess
from preprocessing.log_guess.guess import ExtraGuess, Guess, LabelGuess
from preprocessing.log_guess.named_sample import NamedSample
from preprocessing.log_guess.profiles import ColumnProfile

_MOST_REJECTS = 0.05  # the default of features.max_reject_rate
_TOO_MANY_REJECTS = 0.5  # a log of which this much is wrong is not read right
_ROWS_PER_SHARD = 500_000
_MOST_NEW_VIEWS = 10


class RunSettings(NamedTuple):
    """Entries of several sections.

    Attributes:
        features: Of `features`, each with a reason.
        vocabularies: `min_count` by column of ids.
        training: Of `training`.
        notes: What a person should know.
    """

    features: dict[str, tuple[Any, str]]
    vocabularies: dict[str, int]
    training: dict[str, Any]
    notes: list[str]


def run_settings(
    named: NamedSample,
    columns: list[Guess],
    labels: list[LabelGuess],
    extras: list[ExtraGuess],
    split: SplitGuess,
    offset_hours: float | None,
    profiles: Mapping[str, ColumnProfile],
) -> RunSettings:
    """Settings for a guessed log.

    Args:
        named: The sample.
        columns: The contract's columns; user, item and time are the first three.
        labels: What is to be predicted.
        extras: Further features.
        split: How examples are divided.
        offset_hours: The log's own clock less UTC; None where it is not known.
        profiles: Of the log's columns, by name.
    """
    features: dict[str, tuple[Any, str]] = {}
    notes = [] if split.sure else [f"The split is a guess: {split.why}."]
    user = profiles[columns[0].column]
    features["new_user"] = _new_user(columns, user, named)
    if offset_hours is not None:
        zone = "the log's own clock is that far ahead of its times since 1970"
        features["utc_offset_hours"] = (offset_hours, zone)
    if named.total_rows > 16 * _ROWS_PER_SHARD:
        shards = int(np.ceil(named.total_rows / _ROWS_PER_SHARD / 16) * 16)
        features["shards"] = (shards, f"of about {_ROWS_PER_SHARD:,} rows each")
    rejects, worst = _expected_rejects(columns, labels, extras, profiles)
    if rejects > _TOO_MANY_REJECTS:
        notes.append(
            f"About {rejects:.1%} of the rows will be rejects ({worst}): a run stops "
            "until that is mended, or features.max_reject_rate is raised by you."
        )
    elif rejects > 0.8 * _MOST_REJECTS:
        rate = float(np.ceil(rejects * 150) / 100)
        features["max_reject_rate"] = (
            rate,
            f"about {rejects:.1%} of the rows: {worst}",
        )
        notes.append(
            f"About {rejects:.1%} of the rows will be rejects ({worst}): "
            f"features.max_reject_rate is raised to {rate:g}."
        )
    if columns[2].origin == {"date": columns[2].column}:
        notes.append(
            "Times are days without a time of day: impressions of one day do not see "
            "each other, so that histories and view counts grow by whole days."
        )
    if not columns[2].sure or "since" in str(columns[2].origin):
        notes.append(f"When an impression was is a guess: {columns[2].why}.")
    large = named.total_rows >= 200_000
    vocabularies = {"user_id": 10 if large else 2, "video_id": 5 if large else 2}
    small = {"batch_size": 256} if named.total_rows < 50_000 else {"batch_size": 1024}
    return RunSettings(features, vocabularies, {**small, "epochs": 2}, notes)


def _new_user(
    columns: list[Guess], user: ColumnProfile, named: NamedSample
) -> tuple[dict[str, Any], str]:
    if any(guess.name == FIRST_LAUNCH for guess in columns):
        return {"max_hours": 24}, "hours since the first launch"
    why = "the first launch is not in the log, so new is who has few views so far"
    if not named.whole:
        return {"max_avc": _MOST_NEW_VIEWS}, why
    views = np.bincount(user.codes[user.codes >= 0])
    usual = float(np.median(views)) if len(views) else 1.0
    least = int(np.clip(usual / 3, 1, _MOST_NEW_VIEWS))
    return {"max_avc": least}, f"{why}; half of the users have at most {usual:g}"


def _expected_rejects(
    columns: list[Guess],
    labels: list[LabelGuess],
    extras: list[ExtraGuess],
    profiles: Mapping[str, ColumnProfile],
) -> tuple[float, str]:
    """Share of the sample's rows without what each needs, or equal to another row."""
    needed = [profiles[guess.column] for guess in columns[:3]]
    for label in labels:
        if label.label.get("missing") != "mask":
            needed += [profiles[name] for name in label.reads]
    missing = ~np.all([profile.known for profile in needed], axis=0)
    worst = max(needed, key=lambda profile: profile.null_share)
    read = {guess.column for guess in columns} | {extra.column for extra in extras}
    read |= {name for label in labels for name in label.reads}
    codes = np.stack(
        [profiles[name].codes for name in sorted(read) if name in profiles]
    )
    whole = codes[:, ~missing]
    equal = whole.shape[1] - len(np.unique(whole, axis=1).T)
    share = (int(missing.sum()) + equal) / max(len(missing), 1)
    if equal > missing.sum():
        return share, "rows that are equal to another"
    return share, f"{worst.name} is null in {worst.null_share:.1%}"
