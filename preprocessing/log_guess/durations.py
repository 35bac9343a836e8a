"""How long something was watched, and how long it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from preprocessing.contract.column_names import DURATION, PLAY_TIME
from preprocessing.log_guess.guess import Guess
from preprocessing.log_guess.profiles import ColumnProfile
from preprocessing.log_guess.vocabulary import snake, words
from preprocessing.log_guess.word_lists import each_word

_PLAY = re.compile(
    r"(?:play|watch|view|listen|dwell|read|stay|playing|viewing|watching|watched)_?"
    r"(?:ed)?_?(?:time|duration|length|ms|s|sec|seconds|secs|minutes|min)(?:_.*)?"
    r"|(?:ms|seconds|sec|minutes)_(?:played|watched|listened|viewed)|time_spent.*"
)
_LENGTH = re.compile(
    r"(?:(?:video|item|clip|track|song|movie|content|media|photo|film|episode)_?)"
    r"(?:duration|length|len|time|ms|s|sec|seconds|runtime|minutes)(?:_.*)?"
    r"|duration(?:_.*)?|length(?:_.*)?|runtime(?:_.*)?"
)
_UNIT_WORDS = {
    **each_word("ms msec msecs millis milliseconds", "ms"),
    **each_word("s sec secs second seconds", "s"),
    **each_word("min mins minute minutes", "min"),
    **each_word("us micros microseconds", "us"),
}
UNIT_MS = {"ms": 1.0, "s": 1000.0, "min": 60_000.0, "us": 1e-3}


def guess_durations(profiles: list[ColumnProfile]) -> list[Guess]:
    """Play time and length, each with its unit; of both or of the play time alone."""
    play = _first(profiles, _PLAY)
    length = _first([p for p in profiles if p is not play], _LENGTH)
    if play is None:
        return []
    found = [(PLAY_TIME, play)] + ([(DURATION, length)] if length else [])
    by_range, plain = _unit_by_range(length or play)
    guesses = []
    for name, profile in found:
        said = next(
            (_UNIT_WORDS[w] for w in words(profile.name) if w in _UNIT_WORDS), ""
        )
        unit = said or by_range
        why = f"in {unit} by its {'name' if said else 'range'}; {profile.facts}"
        others = tuple(
            ({"column": profile.name, "unit": other}, "if it is in that unit")
            for other in (() if said else ("ms", "s"))
            if other != unit
        )
        guesses.append(
            Guess(
                name,
                _origin(profile.name, unit),
                profile.name,
                why,
                bool(said) or plain,
                others,
            )
        )
    return guesses


def duration_ms(guess: Guess, profiles: Mapping[str, ColumnProfile]) -> np.ndarray:
    """What a guess makes of the sample's cells: milliseconds, float64 [rows]."""
    unit = guess.origin["unit"] if isinstance(guess.origin, Mapping) else "ms"
    return profiles[guess.column].numbers * UNIT_MS[unit]


def _first(
    profiles: list[ColumnProfile], names: re.Pattern[str]
) -> ColumnProfile | None:
    for profile in profiles:
        numeric = profile.is_number and profile.low >= 0 and not profile.is_flag
        if numeric and profile.distinct > 2 and names.fullmatch(snake(profile.name)):
            return profile
    return None


def _origin(column: str, unit: str) -> str | dict[str, Any]:
    return column if unit == "ms" else {"column": column, "unit": unit}


def _unit_by_range(profile: ColumnProfile) -> tuple[str, bool]:
    """Milliseconds or seconds, and whether that is plain.

    Typical times below 3,000 are no milliseconds, as that would be three seconds; above
    20,000 they are no seconds, as that would be six hours.
    """
    positive = profile.numbers[profile.numbers > 0]
    usual = float(np.median(positive)) if len(positive) else 0.0
    if not profile.is_whole:
        return "s", usual < 1000
    return ("ms", usual > 20_000) if usual >= 3000 else ("s", usual < 600)
