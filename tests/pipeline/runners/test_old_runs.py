import os
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from pipeline.runners.old_runs import find_old_runs, freed_bytes, remove_old_runs
from pipeline.runners.run_records import settle_records
from tests.helpers.run_history import daily_run

DAYS = [f"2022-05-0{day}" for day in range(1, 6)]


@pytest.fixture
def days(paths, history):
    """Five days; the models of the last two were not blessed, nor pushed."""
    made, before = {}, None
    for number, day in enumerate(DAYS, start=1):
        blessed = number <= 3
        before = daily_run(
            history,
            day,
            earlier=before,
            blessed=blessed,
            version=str(10 * number) if blessed else "",
        )
        made[day] = before
        if blessed:
            (paths.serving / str(10 * number)).mkdir(parents=True)
            (paths.serving / str(10 * number) / "saved_model.pb").write_bytes(b"m" * 10)
    return made


def left(paths, history):
    """Days and components of artifacts whose folders are there."""
    return {
        artifact.id
        for artifact in history.store.get_artifacts()
        if Path(artifact.uri).exists()
    }


def live(history):
    return {
        artifact.id
        for artifact in history.store.get_artifacts()
        if artifact.state == pb.Artifact.LIVE
    }


def clean(paths, keep):
    old = find_old_runs(paths, keep)
    remove_old_runs(paths, old)
    return old


def ids(days, *components, of=DAYS):
    return {days[day][name] for day in of for name in components if name in days[day]}


def test_what_kept_runs_made_or_read_stays(paths, history, days):
    clean(paths, 2)
    stays = set()
    for day in DAYS[3:]:
        stays |= set(days[day].values())
    stays |= ids(
        days, "ImpressionExampleGen", "Trainer", of=[DAYS[2]]
    )  # read by the 4th
    stays |= ids(days, "Evaluator", of=[DAYS[2]])  # the last blessed
    stays |= ids(days, "ReportGen")
    assert left(paths, history) == stays == live(history)


def test_with_one_day_kept_the_last_blessed_model_stays(paths, history, days):
    clean(paths, 1)
    found = left(paths, history)
    assert days[DAYS[2]]["Trainer"] in found
    assert days[DAYS[2]]["Evaluator"] in found
    assert days[DAYS[1]]["Trainer"] not in found
    assert found == live(history)


def test_the_records_are_in_line_and_a_second_time_finds_nothing(paths, history, days):
    clean(paths, 1)
    assert settle_records(paths) == []
    assert find_old_runs(paths, 1).folders == ()


def test_nothing_is_removed_that_was_not_found(paths, history, days):
    before = left(paths, history)
    old = find_old_runs(paths, 2)
    assert left(paths, history) == before == live(history)
    assert {run.day for run in old.runs} == set(DAYS[:3])
    assert old.size == 1000 * len(old.artifacts) + 10  # and a version
    remove_old_runs(paths, old)
    assert len(before - left(paths, history)) == len(old.artifacts) == len(old.records)


def test_all_runs_of_as_many_days_are_kept(paths, history, days):
    assert find_old_runs(paths, 5).folders == ()
    assert find_old_runs(paths, 9).folders == ()


def test_the_newest_versions_stay_and_foreign_ones(paths, history, days):
    (paths.serving / "5").mkdir()  # pushed by hand
    clean(paths, 2)
    assert {place.name for place in paths.serving.iterdir()} == {"5", "20", "30"}
    clean(paths, 1)
    assert {place.name for place in paths.serving.iterdir()} == {"5", "30"}


def test_failed_runs_and_a_day_run_twice_push_no_day_out(paths, history, days):
    for number in range(3):
        daily_run(history, f"{DAYS[4]}", version=f"{60 + number}")
        daily_run(history, f"2022-05-1{number}", until="Trainer")
    assert {run.day for run in find_old_runs(paths, 3).runs} == set(DAYS[:2])


def test_what_killed_runs_left_without_a_record_goes(paths, history, days):
    orphan = paths.pipeline_root / "Trainer" / "model" / str(days[DAYS[0]]["Trainer"])
    foreign = paths.pipeline_root / "Trainer" / "model" / "999999"
    foreign.mkdir(parents=True)
    system = paths.pipeline_root / "Trainer" / ".system" / "executor_execution" / "1"
    system.mkdir(parents=True)
    clean(paths, 1)
    assert not system.exists()
    assert foreign.exists()  # of no run that is known
    assert orphan.parent.exists()


def test_old_checkpoints_go_and_younger_ones_stay(paths, history, days):
    for name, age in (("0" * 16, 10**6), ("1" * 16, 0), ("jobs", 10**6)):
        place = paths.checkpoints / name
        place.mkdir(parents=True)
        (place / "training-1.index").touch()
        for path in (place / "training-1.index", place):
            os.utime(path, (path.stat().st_mtime - age,) * 2)
    old = clean(paths, 2)
    assert [place.name for place in old.checkpoints] == ["0" * 16]
    left = {place.name for place in paths.checkpoints.iterdir()}
    assert left == {"1" * 16, "jobs"}


def test_a_log_without_days_counts_runs(paths, history):
    for name in ("a", "b", "c"):
        daily_run(history, name)
    assert [run.run for run in find_old_runs(paths, 2).runs] == ["run-of-a"]


def test_a_file_that_is_linked_from_elsewhere_frees_nothing(tmp_path):
    first, second, third = (tmp_path / name for name in ("first", "second", "third"))
    for folder in (first, second, third):
        folder.mkdir()
    (first / "own").write_bytes(b"1" * 10)
    (first / "examples").write_bytes(b"2" * 1000)
    for folder in (second, third):
        os.link(first / "examples", folder / "examples")
    assert freed_bytes([first]) == 10
    assert freed_bytes([first, second]) == 10
    assert freed_bytes([first, second, third]) == 1010
