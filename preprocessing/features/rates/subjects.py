"""The keys that an impression is counted under."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.conversion import to_array
from preprocessing.arrays.lists import list_lengths
from preprocessing.contract.rates import Subject


class SubjectKeys(NamedTuple):
    """The keys of impressions, in their order.

    An impression has as many keys as its list has different entries; none where one of
    the columns is null.

    Attributes:
        row: Index of the impression that each key is of, int64 [keys], ascending.
        key: Values of the subject's first column, text [keys].
        other: Values of its second column, text [keys]; None if it has one column.
    """

    row: np.ndarray
    key: pa.Array
    other: pa.Array | None

    def filter(self, keep: np.ndarray) -> SubjectKeys:
        """Only some of the keys.

        Args:
            keep: Which, bool [keys].
        """
        if keep.all():
            return self
        mask = pa.array(keep)
        other = None if self.other is None else self.other.filter(mask)
        return SubjectKeys(self.row[keep], self.key.filter(mask), other)


def keys_of(table: pa.Table, subject: Subject) -> SubjectKeys:
    """The keys of a subject in impressions.

    Args:
        table: Impressions with the subject's columns.
        subject: Of the configuration.
    """
    columns = [to_array(table[name]) for name in subject.columns]
    row = np.arange(table.num_rows)
    for place, column in enumerate(columns):
        if pa.types.is_list(column.type):
            row, columns[place] = _entries(column)
            index = pa.array(row)
            columns = [
                values if other == place else values.take(index)
                for other, values in enumerate(columns)
            ]
    other = columns[1] if len(columns) > 1 else None
    keys = SubjectKeys(row, columns[0], other)
    known = [column.is_valid().to_numpy(zero_copy_only=False) for column in columns]
    return keys.filter(np.logical_and.reduce(known))


def is_each_row(row: np.ndarray, rows: int) -> bool:
    """Whether there is one key for each of some impressions, in their order."""
    return len(row) == rows and bool((row == np.arange(rows)).all())


def codes_of(
    keys: SubjectKeys, known: pa.Array, known_other: pa.Array
) -> tuple[np.ndarray, np.ndarray, KeyTexts]:
    """Keys of a state and of impressions as numbers: equal ones for equal keys.

    Args:
        keys: Of impressions.
        known: The state's first keys, text [states].
        known_other: Its second ones; not read for a subject of one column.

    Returns:
        The codes of the state, int64 [states], those of the impressions, int64 [keys],
        and what turns codes back into texts.
    """
    first = pa.concat_arrays([known, keys.key]).dictionary_encode()
    code = first.indices.to_numpy().astype(np.int64)
    texts = KeyTexts(first.dictionary, None)
    if keys.other is not None:
        second = pa.concat_arrays([known_other, keys.other]).dictionary_encode()
        code = code * len(second.dictionary) + second.indices.to_numpy()
        texts = KeyTexts(first.dictionary, second.dictionary)
    return code[: len(known)], code[len(known) :], texts


class KeyTexts(NamedTuple):
    """The distinct values of a subject's columns."""

    first: pa.Array
    second: pa.Array | None

    def of(self, code: np.ndarray) -> tuple[pa.Array, pa.Array]:
        """The first and second keys of codes; the second null where there is none."""
        if self.second is None:
            return self.first.take(pa.array(code)), pa.nulls(len(code), pa.string())
        one, other = np.divmod(code, max(len(self.second), 1))
        return self.first.take(pa.array(one)), self.second.take(pa.array(other))


def _entries(lists: pa.ListArray) -> tuple[np.ndarray, pa.Array]:
    """The different entries of each list, and the row of each."""
    lengths = list_lengths(lists)
    row = np.repeat(np.arange(len(lists)), lengths)
    entries = lists.flatten()
    code = pc.fill_null(entries.dictionary_encode().indices, -1).to_numpy(
        zero_copy_only=False
    )
    again = np.zeros(len(row), dtype=bool)
    for back in range(1, int(lengths.max(initial=0))):
        again[back:] |= (row[back:] == row[:-back]) & (code[back:] == code[:-back])
    if again.any():
        row, entries = row[~again], entries.filter(pa.array(~again))
    return row, entries
