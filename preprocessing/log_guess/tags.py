"""The column that lists what an item is about."""

from __future__ import annotations

from preprocessing.log_guess.guess import Guess
from preprocessing.log_guess.profiles import ColumnProfile
from preprocessing.log_guess.vocabulary import NOUNS, words

_SEPARATORS = ("|", ";", ",", "/")
_LEAST_SHARE = 0.1  # of the cells with a separator


def guess_tags(profiles: list[ColumnProfile]) -> tuple[Guess, str] | None:
    """The tags and the character between them ("" where the file has lists).

    Args:
        profiles: Columns that have no other role yet.
    """
    for profile in profiles:
        if not NOUNS["tags"].keys() & {*words(profile.name)} or profile.distinct < 2:
            continue
        separator = "" if profile.is_list else separator_of(profile)
        if separator or profile.is_list:
            lists = f"lists with '{separator}' between" if separator else "lists"
            why = f"the name says tags; {lists}; {profile.facts}"
            return Guess("video_tags", profile.name, profile.name, why), separator
    return None


def separator_of(profile: ColumnProfile) -> str:
    """What stands between the entries of text cells; "" where nothing does."""
    cells = profile.texts.drop_null()[:500].to_pylist()
    for mark in _SEPARATORS:
        if sum(mark in cell for cell in cells) >= _LEAST_SHARE * max(len(cells), 1):
            return mark
    return ""
