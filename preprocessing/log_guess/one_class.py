"""Logs of what users did alone: plays, orders, visits, and nothing that they left."""

from __future__ import annotations

import numpy as np

from preprocessing.log_guess.guess import LabelGuess
from preprocessing.log_guess.vocabulary import words
from preprocessing.log_guess.word_lists import each_word

# What a name in the log says that each of its rows is.
_ACTIONS = {
    **each_word("track tra song traname scrobble listen listens", "played"),
    **each_word("play plays stream streams playlist lastfm", "played"),
    **each_word("order orders purchase purchases basket", "bought"),
    **each_word("transaction transactions invoice checkout", "bought"),
    **each_word("checkin checkins visit visits", "visited"),
    **each_word("loan borrow", "borrowed"),
}

NOTE = (
    "Every row is a {action} item, and none tells what was left: the label is 1 "
    "everywhere. The run works and the features are right, but no GAUC can be computed "
    "and the model cannot learn what a user prefers. Log what was shown and not "
    "{action}, too, or add such rows, before you use the model."
)


def one_class_label(names: list[str], rows: int) -> LabelGuess | None:
    """A label that is 1 in every row, where the log says what its rows are.

    Args:
        names: Of columns and files.
        rows: Of the sample.
    """
    for name in names:
        parts = [*words(name), *(w.removesuffix("id") for w in words(name))]
        action = next((_ACTIONS[word] for word in parts if word in _ACTIONS), "")
        if action:
            return LabelGuess(
                action,
                {"column": f"was_{action}"},
                f"no column tells a good impression from a bad one; '{name}' says that "
                f"each row was {action}",
                False,
                columns={f"was_{action}": {"constant": 1}},
                positive=np.ones(rows),
            )
    return None
