"""The output lies apart from what is read, and nobody else writes to either."""

import json

import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.output_folder import check_places, shared_inputs
from preprocessing.engine.write_table import write_feature_table
from preprocessing.storage.folder_lock import FolderInUseError, hold_folder
from preprocessing.storage.overlap import OverlapError


def lay_out(folder):
    for name in ("day/log/a.csv", "day/state/state.json", "other/state/state.json"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(json.dumps({}))


@pytest.mark.parametrize(
    ("out", "data", "state"),
    [
        ("out", "day/log", None),
        ("day", "day/log", None),
        ("day", "day/log", "other"),
        ("day", "day/log/a.csv", "other/state"),
        ("day/next", "day/log", "day"),
        (".", "day/log", "day"),
        ("day/logs", "day/log", None),
    ],
)
def test_what_lies_apart(tmp_path, monkeypatch, out, data, state):
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    check_places(out, data, state)


@pytest.mark.parametrize(
    ("out", "data", "state"),
    [
        ("day/log", "day/log", None),
        ("day/log/out", "day/log", None),
        ("day", "day", None),
        ("day", "day/features", None),
        ("day", "day/rejects/more/a.csv", None),
        ("day", "day/_incomplete", None),
        ("day", "day/log", "day"),
        ("day", "day/log", "day/state"),
        ("day/state", "day/log", "day"),
        ("day/state/next", "day/log", "day"),
        ("gs://b/log/out", "gs://b/log", None),
        ("gs://b", "gs://b/features", None),
    ],
)
def test_what_overlaps(tmp_path, monkeypatch, out, data, state):
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OverlapError, match=f"out_dir {out}: "):
        check_places(out, data, state)


@pytest.mark.parametrize(
    "place", ["day", "day/state", "day/features", "day/a.csv", "file://{here}/day"]
)
def test_an_output_that_is_read_is_not_written_meanwhile(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    with hold_folder("day"):
        pass
    (tmp_path / "day" / "a.csv").touch()
    place = place.format(here=tmp_path)
    shared = shared_inputs(place, None, "gs://b/day")
    with shared, pytest.raises(FolderInUseError), hold_folder("day"):
        pass
    with hold_folder("day"), pytest.raises(FolderInUseError, match="being written"):
        shared_inputs(place).__enter__()


def test_a_log_in_a_folder_that_is_written_to_may_be_read(tmp_path):
    (tmp_path / "run" / "log").mkdir(parents=True)
    with hold_folder(tmp_path / "run"), shared_inputs(str(tmp_path / "run" / "log")):
        pass


def test_a_log_file_beside_what_is_written_is_read_again_and_again(tmp_path):
    log = tmp_path / "a.csv"
    log.write_text("user_id,video_id,event_time_ms\na,x,1\n")
    source, config = SourceConfig(format="csv"), FeatureConfig(shards=1)
    for _ in range(2):  # the second run finds the lock of the first
        write_feature_table(source, config, str(log), str(tmp_path))
    with hold_folder(tmp_path), shared_inputs(str(log), held=str(tmp_path)):
        pass


def write(folder, name, time, *more, **options):
    """Features of a log of one row."""
    log = folder / f"log-{time}"
    log.mkdir(exist_ok=True)
    (log / "a.csv").write_text(f"user_id,video_id,event_time_ms\na,x,{time}\n")
    log.chmod(0o555)  # what is read may be read-only
    source, config = SourceConfig(format="csv"), FeatureConfig(shards=1)
    write_feature_table(source, config, str(log), str(folder / name), *more, **options)
    assert [path.name for path in log.iterdir()] == ["a.csv"]
    log.chmod(0o755)


def test_while_a_run_works_nobody_else_writes_where_it_reads_and_writes(tmp_path):
    write(tmp_path, "monday", 1)
    monday = tmp_path / "monday"
    before = (monday / "summary.json").stat()
    steps = []

    def others(step, done, parts):
        steps.append(step)
        for name, why in (("monday", "in use"), ("tuesday", "in use")):
            with pytest.raises(FolderInUseError, match=why):
                write(tmp_path, name, 3)

    write(tmp_path, "tuesday", 2, str(monday), progress=others)
    assert steps
    assert (monday / "summary.json").stat() == before
    with hold_folder(monday), hold_folder(tmp_path / "tuesday"):
        pass
