import json
import math

import pyarrow as pa

from preprocessing.checks.rejects import (
    REJECT_SCHEMA,
    reject_impressions,
    reject_lines,
    reject_table,
)


def test_a_row_is_kept_as_json_whatever_it_holds():
    row = {"a": b"\xff\xc3\xa9", "b": [b"x", None], "c": math.nan, "d": "é", "e": 2**70}
    table = reject_table([row], ["bad"], ["f.csv"])
    assert table.schema.equals(REJECT_SCHEMA)
    assert table.to_pylist()[0]["reason"] == "bad"
    assert table.to_pylist()[0]["source"] == "f.csv"
    text = table.to_pylist()[0]["row"]
    assert "é" in text
    assert json.loads(text) == {
        "a": "\\xffé",
        "b": ["x", None],
        "c": None,
        "d": "é",
        "e": 2**70,
    }


def test_lines_share_a_reason_and_a_file():
    table = reject_lines(["a,b", "c"], "too short", "f.csv")
    assert table.schema.equals(REJECT_SCHEMA)
    assert [json.loads(row) for row in table["row"].to_pylist()] == [
        {"line": "a,b"},
        {"line": "c"},
    ]
    assert set(table["reason"].to_pylist()) == {"too short"}
    assert set(table["source"].to_pylist()) == {"f.csv"}
    assert reject_lines([], "none", "f.csv").equals(REJECT_SCHEMA.empty_table())


def test_an_impressions_file_is_its_source_and_no_part_of_the_row():
    impressions = pa.table(
        {"user_id": ["a", "b"], "__source_file": ["f", "g"], "__source_row": [1, 7]}
    )
    table = reject_impressions(impressions, ["late", "twice"])
    assert table.to_pylist() == [
        {"row": '{"user_id": "a"}', "reason": "late", "source": "f"},
        {"row": '{"user_id": "b"}', "reason": "twice", "source": "g"},
    ]
