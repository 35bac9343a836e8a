"""What could be predicted: 0/1 columns, behaviours, ratings, watching."""

from __future__ import annotations

import numpy as np

from preprocessing.contract.column_names import DURATION, PLAY_TIME
from preprocessing.log_guess.behaviours import behaviour_labels
from preprocessing.log_guess.durations import duration_ms
from preprocessing.log_guess.guess import Guess, LabelGuess
from preprocessing.log_guess.profiles import ColumnProfile, decides
from preprocessing.log_guess.vocabulary import (
    is_outcome,
    is_rating,
    label_score,
    snake,
    words,
)

_MOST = 4  # tasks
_RAREST = 0.0005  # positive share below which a task learns nothing
_RARE = 0.03
_SETTLED = 0.98


def guess_labels(
    profiles: list[ColumnProfile], keys: list[ColumnProfile], durations: list[Guess]
) -> tuple[list[LabelGuess], list[LabelGuess]]:
    """The labels to train on, and further ones.

    Args:
        profiles: Columns without another role.
        keys: The user's and the item's columns: what they decide is no outcome.
        durations: By `durations.guess_durations`, columns of `profiles`.
    """
    by_name = {profile.name: profile for profile in profiles}
    found = [
        *_watching(durations, by_name),
        *_flags(profiles, keys),
        *behaviour_labels(profiles),
    ]
    if not found:
        found = [*_ratings(profiles), *_ratios(profiles), *_counts(profiles)]
    usable = [g for g in found if g.positive_share >= _RAREST and g.positive_share < 1]
    usable.sort(key=lambda guess: not guess.sure)
    return usable[:_MOST], usable[_MOST:]


def _watching(
    durations: list[Guess], by_name: dict[str, ColumnProfile]
) -> list[LabelGuess]:
    """Long and finished views, where play time (and length) is known."""
    known = {guess.name: guess for guess in durations}
    if PLAY_TIME not in known:
        return []
    play = duration_ms(known[PLAY_TIME], by_name)
    reads = tuple(guess.column for guess in durations)
    if DURATION not in known:
        least = round(float(np.nanmedian(play)), -3) or float(np.nanmedian(play))
        why = f"half of the play times are at least {least:g} ms; take what is long"
        label = {"column": PLAY_TIME, "at_least": least}
        positive = np.where(np.isnan(play), np.nan, play >= least)
        return [
            LabelGuess("long_play", label, why, False, reads=reads, positive=positive)
        ]
    length = duration_ms(known[DURATION], by_name)
    unknown = np.isnan(play) | np.isnan(length)
    percent = _percent(play[~unknown], length[~unknown])
    long_view = np.where(unknown, np.nan, play * 100 >= percent * length)
    finish = np.where(unknown, np.nan, play >= length)
    labels = [
        LabelGuess(
            "long_view",
            {"rule": "long_view", "percent": percent},
            f"play time is at least {percent} % of the length in "
            f"{np.nanmean(long_view):.0%} of the rows",
            percent == 60,
            reads=reads,
            positive=long_view,
        )
    ]
    if 0.02 <= np.nanmean(finish) <= 0.95:
        why = f"watched to the end: {np.nanmean(finish):.0%} of the rows"
        rule = {"rule": "finish_view"}
        labels.append(
            LabelGuess("finish_view", rule, why, reads=reads, positive=finish)
        )
    return labels


def _percent(play: np.ndarray, length: np.ndarray) -> int:
    """The paper's 60, or the share of the length that splits the views better."""
    for percent in (60, 80, 100, 40, 20):
        if 0.05 <= float((play * 100 >= percent * length).mean()) <= 0.9:
            return percent
    return 60


def _flags(
    profiles: list[ColumnProfile], keys: list[ColumnProfile]
) -> list[LabelGuess]:
    scored: list[tuple[float, LabelGuess]] = []
    for profile in profiles:
        if not profile.is_flag or any(decides(k, profile) >= _SETTLED for k in keys):
            continue
        score = label_score(profile.name)
        if not score:
            continue
        positive = profile.numbers
        share = float(np.nanmean(positive))
        why = f"a 0/1 column, 1 in {share:.1%} of the rows; the name says outcome"
        label: dict[str, object] = {"column": profile.name}
        if profile.null_share > 0.001:
            label["missing"] = "mask"
            why += f"; null in {profile.null_share:.1%}, so masked there"
        weight = 0.5 if min(share, 1 - share) < _RARE else 1.0
        scored.append(
            (
                score,
                LabelGuess(
                    label_name(profile.name),
                    label,
                    why,
                    True,
                    weight,
                    reads=(profile.name,),
                    positive=positive,
                ),
            )
        )
    scored.sort(key=lambda each: -each[0])
    return [guess for _, guess in scored]


def _ratings(profiles: list[ColumnProfile]) -> list[LabelGuess]:
    for profile in profiles:
        if is_rating(profile.name) and profile.is_number and 2 < profile.distinct < 200:
            least, share = _threshold(profile.numbers)
            why = (
                f"a rating of {profile.low:g} to {profile.high:g}; {share:.0%} reach it"
            )
            positive = np.where(
                np.isnan(profile.numbers), np.nan, profile.numbers >= least
            )
            label = {"column": profile.name, "at_least": least}
            reads = (profile.name,)
            sure = 0.2 <= share <= 0.8
            return [
                LabelGuess("liked", label, why, sure, reads=reads, positive=positive)
            ]
    return []


def _threshold(numbers: np.ndarray) -> tuple[float, float]:
    """The value that divides the numbers most evenly, and the share that reaches it."""
    known = numbers[np.isfinite(numbers)]
    values = np.unique(known)[1:]
    shares = np.array([(known >= value).mean() for value in values])
    best = int(np.argmin(np.abs(shares - 0.5)))
    return float(values[best]), float(shares[best])


def _ratios(profiles: list[ColumnProfile]) -> list[LabelGuess]:
    """A watch ratio without the times that it is of."""
    for profile in profiles:
        parts = {*words(profile.name)}
        ratio = parts & {"ratio", "rate", "percent", "pct", "fraction"}
        if ratio and parts & {"watch", "play", "view", "read"} and profile.is_number:
            least = 60.0 if profile.high > 20 else 0.6
            positive = np.where(
                np.isnan(profile.numbers), np.nan, profile.numbers >= least
            )
            label = {"column": profile.name, "at_least": least}
            why = f"at least {least:g} of the length was watched"
            return [
                LabelGuess(
                    "long_view",
                    label,
                    why,
                    False,
                    reads=(profile.name,),
                    positive=positive,
                )
            ]
    return []


def _counts(profiles: list[ColumnProfile]) -> list[LabelGuess]:
    """A number of clicks, plays, ... of which some rows have none."""
    for profile in profiles:
        if not (is_outcome(profile.name) and profile.is_whole and profile.distinct > 2):
            continue
        if profile.low == 0 and 0.02 <= (profile.numbers == 0).mean() <= 0.98:
            positive = np.where(np.isnan(profile.numbers), np.nan, profile.numbers >= 1)
            label = {"column": profile.name, "at_least": 1}
            name = f"any_{snake(profile.name)}"
            why = "a count of an outcome: 1 or more"
            reads = (profile.name,)
            return [LabelGuess(name, label, why, False, reads=reads, positive=positive)]
    return []


def label_name(column: str) -> str:
    """A label's name by its column's: is_like is like."""
    parts = words(column)
    if len(parts) > 1 and parts[0] in ("is", "has", "was", "did"):
        parts = parts[1:]
    name = "_".join(parts) or "label"
    return (
        name if name not in ("class", "self", "examples", "for", "in") else f"{name}_"
    )
