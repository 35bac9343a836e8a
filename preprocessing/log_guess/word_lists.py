"""Lists of words, written as one writes words."""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


def word_set(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())


def each_word(words: str, value: Value) -> dict[str, Value]:
    """The words of a text, each with the same value."""
    return dict.fromkeys(words.split(), value)
