"""Days one after the other make the same examples as one run over all of them."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

from pipeline.config import LogConfig
from pipeline.examples.earlier import EarlierExamplesError
from pipeline.examples.example_files import serialized_batches
from pipeline.examples.example_gen import ImpressionExampleGen
from pipeline.examples.executor import Executor
from pipeline.examples.places import SUMMARY_FILE
from preprocessing.arrays.days import MS_PER_DAY, date_of
from preprocessing.engine.feature_settings import SettingsError
from preprocessing.state.files import open_state

FIRST, DAYS, ROWS = 19_000, 6, 400
CONFIG = LogConfig.model_validate(
    {
        "source": {"format": "parquet"},
        "features": {"labels": {"long_view": {"rule": "long_view"}}, "shards": 3},
        "split": {"train_days": 3, "eval_days": 1},
    }
)


def changed(section, **values):
    whole = CONFIG.model_dump()
    return LogConfig.model_validate({**whole, section: {**whole[section], **values}})


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Six days, a folder each; every day one duplicate and one broken row."""
    folder = tmp_path_factory.mktemp("log")
    random = np.random.default_rng(3)
    for day in range(FIRST, FIRST + DAYS):
        times = np.sort(random.integers(MS_PER_DAY, size=ROWS)) + day * MS_PER_DAY
        durations = np.full(ROWS, 900)
        durations[7] = -1
        table = pa.table(
            {
                "user_id": [f"u{user}" for user in random.integers(30, size=ROWS)],
                "video_id": [f"v{video}" for video in random.integers(50, size=ROWS)],
                "event_time_ms": times,
                "play_time_ms": random.integers(900, size=ROWS),
                "video_duration_ms": durations,
            }
        )
        place = folder / f"date={date_of(day)}"
        place.mkdir()
        twice = pa.concat_tables([table, table.slice(3, 1)])
        pq.write_table(twice, place / "rows.parquet")
    return folder


@pytest.fixture
def make(log, tmp_path):
    def do(name, config=CONFIG, earlier=None, **days):
        component = ImpressionExampleGen(
            str(log),
            config.model_dump_json(),
            str(tmp_path / name / "rejects"),
            **{which: date_of(FIRST + day) for which, day in days.items()},
        )
        made = standard_artifacts.Examples()
        made.uri = str(tmp_path / name / "examples")
        (tmp_path / name).mkdir()
        given = {} if earlier is None else {"earlier": [earlier]}
        Executor().Do(given, {"examples": [made]}, dict(component.exec_properties))
        return made

    return do


def contents(artifact, place):
    """What serves, trains and goes on from an artifact."""
    splits = {}
    for name in ("train", "eval"):
        batches = serialized_batches(f"{artifact.uri}/Split-{name}")
        splits[name] = sorted(e for batch in batches for e in batch.numpy())
    state = open_state(artifact.uri, CONFIG.features)
    rows = [str(r) for f in state.files for r in pq.read_table(f.path).to_pylist()]
    return {**splits, "state": sorted(rows), "info": state.info}


def rejects(tmp_path, name):
    return pq.read_table(tmp_path / name / "rejects" / "rejects-00000-of-00001.parquet")


def summary(artifact):
    with open(f"{artifact.uri}/{SUMMARY_FILE}") as file:
        return json.load(file)


def test_three_days_in_a_row_are_one_run_over_all(make, tmp_path):
    third = make("third", last_day=3)
    fourth = make("fourth", earlier=third, last_day=4)
    fifth = make("fifth", earlier=fourth, last_day=5)
    assert contents(fifth, tmp_path) == contents(make("all"), tmp_path)
    assert len(contents(fifth, tmp_path)["train"]) == 3 * (ROWS - 1)
    assert [rejects(tmp_path, n).num_rows for n in ("third", "fourth", "fifth")] == [
        *(8, 2, 2)
    ]
    counts = summary(fifth)
    assert counts["rows_in"] == ROWS + 1 == counts["examples"] + counts["rejects"]
    assert list(counts["days"]) == [date_of(FIRST + day) for day in (2, 3, 4, 5)]
    assert fifth.get_string_custom_property("first_day") == date_of(FIRST + 2)
    assert fifth.get_string_custom_property("last_day") == date_of(FIRST + 5)


def test_files_of_days_that_were_there_are_linked(make, tmp_path):
    third = make("third", last_day=3)
    fourth = make("fourth", earlier=third, last_day=4)
    name = f"examples-{date_of(FIRST + 3)}-00000-of-00001.gz"
    old = tmp_path / "third" / "examples" / "Split-eval" / name
    assert old.samefile(tmp_path / "fourth" / "examples" / "Split-train" / name)
    assert fourth.uri != third.uri


def test_files_are_copied_where_links_are_not_possible(make, tmp_path, monkeypatch):
    third = make("third", last_day=3)
    linked = contents(make("linked", earlier=third, last_day=4), tmp_path)

    def refuse(source, target):
        raise OSError("no links here")

    monkeypatch.setattr("os.link", refuse)
    assert contents(make("copied", earlier=third, last_day=4), tmp_path) == linked


def test_rows_of_other_days_are_no_rejects(make, tmp_path):
    second = make("second", last_day=2)
    made = make("some", earlier=second, last_day=4)
    counts = summary(made)
    assert counts["rows_in"] == 2 * (ROWS + 1)
    assert counts["rejects"] == 4
    # Folders of days next to the window are read, in case their days begin elsewhere.
    assert counts["other_days"] == 2 * (ROWS + 1)
    assert list(counts["days"]) == [date_of(FIRST + day) for day in (1, 2, 3, 4)]


def test_a_day_that_is_there_is_an_error(make):
    third = make("third", last_day=3)
    with pytest.raises(EarlierExamplesError, match="already"):
        make("again", earlier=third, last_day=3)


def test_a_day_that_had_begun_is_an_error(make):
    config = changed("split", first_train_day=date_of(FIRST))
    begun = make("begun", config)
    with pytest.raises(EarlierExamplesError, match="its examples end on 2022-01-11"):
        make("next", earlier=begun, last_day=4)


def test_a_window_that_has_grown_is_said_to_fill_up(make):
    third = make("third", changed("split", train_days=1), last_day=3)
    fourth = make("fourth", earlier=third, last_day=4)
    [warning] = summary(fourth)["warnings"]
    assert warning.startswith("train: 2 of the 3 days (split.train_days): the run befo")
    assert date_of(FIRST + 2) in warning


def test_other_settings_are_an_error(make):
    third = make("third", last_day=3)
    other = changed("features", history_length=5)
    with pytest.raises(SettingsError, match=r"features\.history_length by default"):
        make("other", other, earlier=third, last_day=4)
    by_user = changed("split", by="user")
    with pytest.raises(EarlierExamplesError, match="only split"):
        make("user", by_user, earlier=third, last_day=4)


def test_a_day_without_files_is_an_error(make, tmp_path):
    third = make("third", last_day=3)
    for path in (tmp_path / "third" / "examples" / "Split-eval").iterdir():
        path.unlink()
    with pytest.raises(EarlierExamplesError, match=f"files of {date_of(FIRST + 3)}"):
        make("next", earlier=third, last_day=4)
