import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from preprocessing.arrays.conversion import (
    convert,
    to_array,
    to_float32,
    to_int64,
    to_text,
    to_text_list,
)


def outcome(converter, raw):
    values, unreadable = converter(raw)
    return values.to_pylist(), np.flatnonzero(unreadable).tolist()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (pa.array([1, None], pa.int8()), ([1, None], [])),
        (pa.array([True, False]), ([1, 0], [])),
        (pa.array([1.0, None, float("nan"), 1.5]), ([1, None, None, None], [3])),
        (pa.array([float("inf"), 1e30]), ([None, None], [0, 1])),
        (pa.array([2**63, 2**63 - 1], pa.uint64()), ([None, 2**63 - 1], [0])),
        (
            pa.array([Decimal("5"), None, Decimal("7.50")]),
            ([5, None, None], [2]),
        ),
        (
            pa.array(["True", "false", "TRUE", "3e2", "1.65E+12", "truth", "1e17"]),
            ([1, 0, 1, 300, 1_650_000_000_000, None, None], [5, 6]),
        ),
        (
            pa.array(["12", " -3 ", "+4", "5.0", "", " ", None, "6.5", "x", "1" * 19]),
            ([12, -3, 4, 5, None, None, None, None, None, None], [7, 8, 9]),
        ),
        (
            pa.array([datetime.datetime(1970, 1, 2)], pa.timestamp("us")),
            ([86_400_000], []),
        ),
        (
            pa.array([datetime.datetime(1970, 1, 2)], pa.timestamp("s", tz="UTC")),
            ([86_400_000], []),
        ),
    ],
)
def test_whole_numbers(raw, expected):
    assert outcome(to_int64, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (pa.array([1, None]), ([1.0, None], [])),
        (pa.array([0.5, float("nan"), float("inf")]), ([0.5, None, None], [2])),
        (pa.array([1e300]), ([None], [0])),
        (
            pa.array(["1.5", "-2e1", ".5", "3.", "", "x", "1,5", "1e999"]),
            ([1.5, -20.0, 0.5, 3.0, None, None, None, None], [5, 6, 7]),
        ),
    ],
)
def test_decimal_numbers(raw, expected):
    assert outcome(to_float32, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (pa.array([712, None]), ["712", None]),
        (pa.array(["a", "", None]), ["a", None, None]),
        (pa.array([True]), ["true"]),
    ],
)
def test_text(raw, expected):
    assert outcome(to_text, raw) == (expected, [])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (pa.array([["a", None, "", "b"], None, []]), [["a", "b"], None, []]),
        (pa.array([[1, 2], [3]]), [["1", "2"], ["3"]]),
        (pa.array([["x"], ["y"], ["z"]]).slice(1), [["y"], ["z"]]),
        (pa.array([["y"]], pa.large_list(pa.large_string())), [["y"]]),
        (pa.array(["a, b", "", None, ",c"]), [["a", "b"], [], None, ["c"]]),
    ],
)
def test_lists_of_texts(raw, expected):
    assert outcome(to_text_list, raw) == (expected, [])


@pytest.mark.parametrize("kind", [pa.string(), pa.binary(), pa.large_binary()])
def test_bytes_are_text_where_they_are_utf8(kind):
    content = [b"a\x00b", "é".encode(), b"\xff", b"\xed\xa0\x80", None, b"12"]
    raw = pa.array(content, pa.binary())
    if kind == pa.string():  # as a file may hold it, unchecked
        missing, ends, values = raw.buffers()
        raw = pa.StringArray.from_buffers(len(content), ends, values, missing)
    raw = raw.cast(kind) if kind != pa.string() else raw
    texts = ["a\0b", "é", None, None, None, "12"]
    assert outcome(to_text, raw) == (texts, [2, 3])
    assert outcome(to_int64, raw) == ([None] * 5 + [12], [0, 1, 2, 3])
    assert outcome(to_float32, raw) == ([None] * 5 + [12], [0, 1, 2, 3])
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 4, 6], pa.int32()), raw)
    assert outcome(to_text_list, lists) == ([["a\0b", "é"], [], ["12"]], [1])


@pytest.mark.parametrize(
    ("kind", "conversion", "raw"),
    [
        (pa.int64(), to_int64, ["1", "x", None]),
        (pa.float32(), to_float32, ["1.5", "x", None]),
        (pa.string(), to_text, [1, 2, None]),
        (pa.list_(pa.string()), to_text_list, ["a,b", "", None]),
    ],
)
def test_the_wanted_type_chooses_the_conversion(kind, conversion, raw):
    values, unreadable = convert(pa.array(raw), kind)
    expected, also_unreadable = conversion(pa.array(raw))
    assert values.type == kind
    assert values.equals(expected)
    assert unreadable.tolist() == also_unreadable.tolist()
    nulls, unreadable = convert(pa.nulls(2), kind)
    assert nulls.equals(pa.nulls(2, kind))
    assert not unreadable.any()


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, "a"]).dictionary_encode(),
        pa.array(["a", None, "a"], pa.large_string()),
        pa.chunked_array([["a", None], ["a"]]),
        pa.chunked_array([pa.array(["a", None, "a"]).dictionary_encode()]),
    ],
)
def test_texts_become_one_array_of_texts(column):
    assert to_array(column).equals(pa.array(["a", None, "a"]))
    assert to_array(pa.chunked_array([], column.type)).equals(pa.array([], "string"))


@pytest.mark.parametrize("in_lists", [None, pa.ListArray, pa.LargeListArray])
def test_chunks_may_have_more_categories_than_their_indices_can_count(in_lists):
    """As `pa.concat_tables` has of data frames with few categories each."""
    kind = pa.dictionary(pa.int8(), pa.string())
    texts = [[None, *(f"{chunk}-{n}" for n in range(100))] for chunk in range(3)]
    chunks = [pa.array(each, kind) for each in texts]
    expected = [text for each in texts for text in each]
    if in_lists is not None:
        ends = pa.array(range(102), in_lists.from_arrays([0], []).offsets.type)
        chunks = [in_lists.from_arrays(ends, chunk) for chunk in chunks]
        expected = [[text] for text in expected]
    assert to_array(pa.chunked_array(chunks)).to_pylist() == expected
