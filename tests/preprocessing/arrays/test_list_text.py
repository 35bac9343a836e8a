import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from preprocessing.arrays.conversion import convert

TEXT_LIST = pa.list_(pa.string())


@pytest.mark.parametrize(
    ("cell", "entries"),
    [
        ("x,y", ["x", "y"]),
        ("x , y,", ["x", "y"]),
        ("['x', 'y']", ["x", "y"]),
        ('["x", "y"]', ["x", "y"]),
        ('["a,b", "c"]', ["a,b", "c"]),
        ("['it\\'s', \"b\"]", ["it's", "b"]),
        ("['x' 'y']", ["x", "y"]),
        ("['x'\n 'y']", ["x", "y"]),
        ("('x', 'y')", ["x", "y"]),
        ("{'x', 'y'}", ["x", "y"]),
        ("{x,y}", ["x", "y"]),
        ("[x, y]", ["x", "y"]),
        ("[1, 2]", ["1", "2"]),
        ("[1 2]", ["1", "2"]),
        ("[1. 2.]", ["1.", "2."]),
        ('["赞", "é"]', ["赞", "é"]),
        ("['x', None]", ["x"]),
        ('["x", null]', ["x"]),
        ("[]", []),
        (" [ ] ", []),
        ("{}", []),
        ("[live]", ["live"]),
        ("[live],news", ["[live]", "news"]),
        ("Cats (funny)", ["Cats (funny)"]),
        ("(funny)", ["(funny)"]),
        ("[", ["["]),
        ("", []),
        (None, None),
    ],
)
def test_a_cell_in_any_notation_has_its_entries(cell, entries):
    lists, unreadable = convert(pa.array([cell, "['z']"]), TEXT_LIST)
    assert lists.to_pylist() == [entries, ["z"]]
    assert not unreadable.any()


@pytest.mark.parametrize(
    "cell",
    [
        *("[['x'], ['y']]", '[["x"]]', '{"a": "b"}', "{'a': 1}", "[1, 2, ..., 9]"),
        *("['x', f('y')]", "['x'", "['x]", "[True, 'x']", "[{x}, y]", '[{"a": 1}]'),
    ],
)
def test_what_is_no_flat_list_is_marked_alone(cell):
    lists, unreadable = convert(pa.array(["a,b", cell, None, "['z']"]), TEXT_LIST)
    taken = cell == "['x'"  # no closing bracket: plain text
    assert unreadable.tolist() == [False, not taken, False, False]
    assert lists.to_pylist()[0] == ["a", "b"]
    assert lists.to_pylist()[3] == ["z"]


@pytest.mark.parametrize("kind", [list, tuple, np.array, set])
def test_what_a_data_frame_writes_is_read_as_it_was(kind):
    frame = pd.DataFrame({"tags": [kind(["x"]), kind(["x", "it's"])]})
    cells = frame.to_csv(index=False).encode()
    text = pa.array(pd.read_csv(pa.BufferReader(cells), dtype=str)["tags"].tolist())
    lists, unreadable = convert(text, TEXT_LIST)
    assert [sorted(each) for each in lists.to_pylist()] == [["x"], ["it's", "x"]]
    assert not unreadable.any()
