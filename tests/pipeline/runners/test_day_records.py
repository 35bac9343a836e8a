"""The days of a run folder, as they are written down."""

import datetime
import json

import pytest

from pipeline.runners.day_records import DayRecord, DayRecords
from pipeline.runners.metadata_file import RunFolderError

FIRST, SECOND = datetime.date(2022, 4, 30), datetime.date(2022, 5, 1)
NOON = datetime.datetime(2022, 5, 2, 12, tzinfo=datetime.timezone.utc)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "days.json"


def test_days_are_read_as_they_were_written(file):
    records = DayRecords(file, clock=lambda: NOON)
    assert records.newest_done is None
    records.note(FIRST, "done")
    records.note(SECOND, "skipped")
    read = DayRecords(file)
    assert read.of(FIRST) == DayRecord("done", "2022-05-02T12:00:00+00:00")
    assert read.of(SECOND).outcome == "skipped"
    assert read.newest_done == FIRST
    assert [path.name for path in file.parent.iterdir()] == ["days.json"]


def test_a_skipped_day_that_is_run_later_is_done(file):
    records = DayRecords(file)
    records.note(SECOND, "skipped")
    records.note(SECOND, "done")
    assert DayRecords(file).newest_done == SECOND


@pytest.mark.parametrize(
    "content", ["", "[]", '{"monday": {}}', json.dumps({"2022-05-01": {"when": 1}})]
)
def test_another_file_is_not_taken_for_days(file, content):
    file.write_text(content)
    with pytest.raises(RunFolderError, match="does not hold the days of a run"):
        DayRecords(file)
    assert file.read_text() == content
