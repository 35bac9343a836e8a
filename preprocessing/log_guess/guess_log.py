"""A whole configuration from a folder of files that nobody described."""

from __future__ import annotations

from collections.abc import Callable

from preprocessing.log_guess.file_layouts import FileLayout, find_layouts
from preprocessing.log_guess.guess import Guess, LogGuess, UnusableLogError
from preprocessing.log_guess.guess_columns import guess_columns
from preprocessing.log_guess.log_sample import sample_log
from preprocessing.log_guess.official_data_sets import guess_data_set
from preprocessing.storage.files import shown_name

# Asked for the column of a role: the guess, with its alternatives; returns the choice.
Choose = Callable[[Guess], Guess]
_LAYOUTS = 12  # that are looked into
_NAMED = 6


def guess_log(data_dir: str, choose: Choose | None = None) -> LogGuess:
    """Looks at a sample of a log and guesses how to read it and what to train on.

    Of files of several layouts (a log beside tables of users and items) those that
    have a user, an item, a time and a label are taken, of the most rows.

    Args:
        data_dir: Folder (or file) of the log: a path or a URI.
        choose: Asked about guesses that are not sure.

    Raises:
        UnusableLogError: There is no user, item, time or label.
        SourceError: Files cannot be read.
    """
    found = find_layouts(data_dir)
    official = guess_data_set(found)
    if official:
        return official
    guesses: list[tuple[int, FileLayout, LogGuess]] = []
    problems: list[tuple[int, UnusableLogError]] = []
    for layout in found.layouts[:_LAYOUTS]:
        sample = sample_log(layout)
        try:
            guess = guess_columns(sample, _shown(data_dir, layout), choose)
            guesses.append((sample.total_rows, layout, guess))
        except UnusableLogError as error:
            problems.append((sample.total_rows, error))
    if not guesses:
        if problems:
            raise max(problems, key=lambda each: each[0])[1]
        raise UnusableLogError(_nothing_readable(data_dir, found.unread))
    _, taken, guess = max(guesses, key=lambda each: each[0])
    unread = [file.name for la in found.layouts if la is not taken for file in la.files]
    unread += found.unread
    if not unread:
        return guess
    more = f" and {len(unread) - _NAMED} more" if len(unread) > _NAMED else ""
    names = ", ".join(map(shown_name, unread[:_NAMED]))
    note = (
        f"Not read, since they are no impressions or of another layout: {names}{more}."
    )
    return guess.with_note(note)


def _shown(data_dir: str, layout: FileLayout) -> str:
    if layout.files[0].path == data_dir:
        return data_dir
    several = f" and {len(layout.files) - 1} more" if len(layout.files) > 1 else ""
    return f"{shown_name(layout.files[0].name)}{several} in {data_dir}"


def _nothing_readable(data_dir: str, unread: dict[str, str]) -> str:
    name, reason = next(iter(unread.items()))
    others = f" ({len(unread)} files in all)" if len(unread) > 1 else ""
    return (
        f"{data_dir}: no file can be read: {shown_name(name)}{others}: {reason}. "
        "Expected Parquet, TFRecords of tf.Examples, or lines of text in columns"
    )
