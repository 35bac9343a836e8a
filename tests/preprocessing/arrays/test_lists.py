import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.arrays.lists import (
    first_elements,
    list_lengths,
    make_lists,
    null_mask,
    offsets_of,
    replace_elements,
)

texts = st.lists(st.none() | st.lists(st.none() | st.text(max_size=2), max_size=4))


def column(rows):
    return pa.array(rows, pa.list_(pa.string()))


@given(rows=texts)
def test_lengths_of_lists(rows):
    expected = [len(row or ()) for row in rows]
    chunks = pa.chunked_array([column(rows), column(rows)])
    for lists, times in ((column(rows), 1), (chunks, 2)):
        lengths = list_lengths(lists)
        assert lengths.dtype == np.int64
        assert lengths.tolist() == expected * times


@given(rows=texts, data=st.data())
def test_of_a_slice_only_its_own_rows_count(rows, data):
    start = data.draw(st.integers(0, len(rows)))
    part = column(rows).slice(start)
    upper = pa.array([text and text.upper() for text in part.flatten().to_pylist()])
    assert list_lengths(part).tolist() == [len(row or ()) for row in rows[start:]]
    assert replace_elements(part, upper.cast(pa.string())).to_pylist() == [
        row and [text and text.upper() for text in row] for row in rows[start:]
    ]
    assert first_elements(part).to_pylist() == [
        row[0] if row else None for row in rows[start:]
    ]


@given(rows=texts)
def test_lists_are_made_of_their_parts(rows):
    lists = column(rows)
    offsets = offsets_of(list_lengths(lists))
    made = make_lists(offsets, lists.flatten(), null_mask(lists))
    assert made.equals(lists)
    without_nulls = make_lists(offsets, lists.flatten())
    assert without_nulls.to_pylist() == [row or [] for row in rows]


@pytest.mark.parametrize(
    ("lengths", "offsets"),
    [
        (np.zeros(0, dtype=np.int32), [0]),
        (np.array([2, 0, 1]), [0, 2, 2, 3]),
        (np.array([True, False]), [0, 1, 1]),
    ],
)
def test_offsets_begin_at_zero_and_end_behind_the_last_element(lengths, offsets):
    found = offsets_of(lengths)
    assert found.dtype == np.int64
    assert found.tolist() == offsets


def test_of_large_lists_the_first_elements_are_found_too():
    lists = pa.array([["a", "b"], None, [], ["c"]], pa.large_list(pa.large_string()))
    assert first_elements(lists).to_pylist() == ["a", None, None, "c"]
