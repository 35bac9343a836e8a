"""Whole guesses: which files, what is asked, what is noted."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from pipeline.config import load_config
from preprocessing.log_guess.guess import UnusableLogError
from preprocessing.log_guess.guess_log import guess_log
from preprocessing.log_guess.yaml_text import yaml_text
from simulator import SimulatorConfig, simulate, write_log

_ROWS = 500
_RANDOM = np.random.default_rng(11)


def columns(**further):
    return {
        "uid": _RANDOM.integers(30, size=_ROWS),
        "item_id": _RANDOM.integers(20, size=_ROWS),
        "ts": 1_650_000_000 + np.arange(_ROWS) * 1500,
        "click": _RANDOM.integers(2, size=_ROWS),
    } | further


def write(folder, **further):
    pq.write_table(pa.table(columns(**further)), folder / "log.parquet")
    return str(folder)


def test_tables_beside_the_log_are_not_read_and_named(tmp_path):
    log = write(tmp_path)
    (tmp_path / "users.csv").write_text("uid,age\n1,20\n2,30\n", encoding="utf-8")
    guess = guess_log(log)
    assert guess.source == {"format": "parquet"}
    assert any("users.csv" in note for note in guess.notes)


def test_a_log_by_the_contract_needs_no_other_names(tmp_path):
    write_log(simulate(SimulatorConfig(users=100, days=4)), tmp_path / "log")
    guess = guess_log(str(tmp_path / "log"))
    renamed = [c.name for c in guess.columns if c.origin != c.name]
    assert not renamed
    assert {"user_first_launch_ms", "video_upload_ms", "video_tags"} <= {
        column.name for column in guess.columns
    }
    assert [label.name for label in guess.labels] == [
        "long_view",
        "finish_view",
        "like",
        "follow",
    ]
    assert guess.features["new_user"][0] == {"max_hours": 24}


def test_doubts_are_asked_about(tmp_path):
    log = write(tmp_path, member_id=_RANDOM.integers(25, size=_ROWS))
    asked = []

    def choose(guess):
        asked.append(guess.name)
        origin, why = guess.alternatives[0]
        return replace(guess, origin=origin, column=origin, why=why, sure=True)

    by_itself, chosen = guess_log(log), guess_log(log, choose)
    assert asked == ["user_id"]
    assert by_itself.columns[0].column != chosen.columns[0].column
    assert not by_itself.columns[0].sure


def test_nulls_raise_the_reject_rate(tmp_path):
    items = [None if row % 5 == 0 else row % 20 for row in range(_ROWS)]
    guess = guess_log(write(tmp_path, item_id=items))
    rate, why = guess.features["max_reject_rate"]
    assert 0.2 < rate < 0.4
    assert "item_id is null in 20" in why


def test_a_log_that_is_mostly_rejects_stops_a_run(tmp_path):
    items = [None if row % 5 else row % 20 for row in range(_ROWS)]
    guess = guess_log(write(tmp_path, item_id=items))
    assert "max_reject_rate" not in guess.features
    assert any("a run stops" in note for note in guess.notes)


def test_only_what_names_an_action_is_taken_for_positives(tmp_path):
    def plays(**named):
        rest = {name: cells for name, cells in columns().items() if name != "click"}
        pq.write_table(pa.table({**rest, **named}), tmp_path / "log.parquet")
        return guess_log(str(tmp_path))

    with pytest.raises(UnusableLogError, match="nothing could be a label"):
        plays()
    guess = plays(scrobble_source=["radio", "list"] * (_ROWS // 2))
    assert [label.name for label in guess.labels] == ["played"]
    assert any("no GAUC" in note for note in guess.notes)


def test_tfrecords(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "part-0")) as writer:
        for row in zip(*columns().values(), strict=True):
            features = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=[int(cell)]))
                for name, cell in zip(columns(), row, strict=True)
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            writer.write(example.SerializeToString())
    guess = guess_log(str(tmp_path))
    assert guess.source == {"format": "tfrecord", "files": ["part-0"]}
    assert [column.column for column in guess.columns] == ["uid", "item_id", "ts"]


def test_any_name_becomes_one_that_a_configuration_takes(tmp_path):
    further = {"user_group": ["a", "b"] * 250, "1st tab": ["x", "y"] * 250}
    guess = guess_log(write(tmp_path, **further, **{"class": ["u", "v"] * 250}))
    path = tmp_path / "c.yaml"
    path.write_text(yaml_text(guess, "odd", "log", "c.yaml"), encoding="utf-8")
    config = load_config(path)
    made = {e.name: config.source.columns.get(e.name) for e in config.features.extra}
    received = {name: made[name].column for name in made if made[name]}
    assert received == {
        "log_user_group": "user_group",
        "column_1st_tab": "1st tab",
        "class_value": "class",
    }
