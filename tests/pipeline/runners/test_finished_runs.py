import dataclasses
import datetime
import time

import pytest

from pipeline.config import load_config
from pipeline.runners.finished_runs import (
    RunRequest,
    note_finished,
    state_of_inputs,
    state_of_serving_logs,
    when_finished,
)
from pipeline.runners.run_records import note_made_files, settle_records
from tests.helpers.run_history import FAILED, daily_run


@pytest.fixture
def config(pytestconfig):
    return load_config(pytestconfig.rootpath / "configs" / "demo.yaml")


@pytest.fixture
def request_(config, tmp_path):
    return RunRequest(config, tmp_path, "as it was", None, {}, "")


@pytest.fixture
def finished(paths, history, request_):
    """A run that came to its end, and what it made."""
    made = daily_run(history, "plain", version="17")
    (paths.serving / "17").mkdir(parents=True)
    paths.requests.mkdir()
    note_made_files(paths)
    note_finished(paths, request_)
    return made


def test_a_finished_run_is_known_again(paths, finished, request_):
    ended = when_finished(paths, request_)
    assert ended.tzinfo is datetime.timezone.utc
    assert abs(time.time() - ended.timestamp()) < 60


@pytest.mark.parametrize(
    "change",
    [
        {"input_state": "another"},
        {"day": datetime.date(2022, 5, 1)},
        {"input_options": {"state_dir": "state"}},
        {"until": "Transform"},
        {"serving_logs_state": "another"},
    ],
)
def test_another_request_is_another(paths, finished, request_, change):
    assert when_finished(paths, dataclasses.replace(request_, **change)) is None


def test_every_setting_counts(paths, finished, request_, config):
    training = config.training.model_copy(update={"epochs": 7})
    other = config.model_copy(update={"training": training})
    assert when_finished(paths, dataclasses.replace(request_, config=other)) is None


def test_a_run_that_began_since_counts_for_itself(paths, history, finished, request_):
    history.begin("a later one")
    history.add("ImpressionExampleGen", {}, state=FAILED)
    assert when_finished(paths, request_) is None


def test_what_is_gone_is_made_again(paths, history, finished, request_):
    report = paths.pipeline_root / "ReportGen" / "report"
    [file] = report.glob("*/data")
    file.unlink()
    assert settle_records(paths)
    assert when_finished(paths, request_) is None


def test_a_push_that_is_gone_is_made_again(paths, finished, request_):
    (paths.serving / "17").rmdir()
    assert settle_records(paths)
    assert when_finished(paths, request_) is None


def test_sample_requests_that_are_gone_are_written_again(paths, finished, request_):
    paths.requests.rmdir()
    assert when_finished(paths, request_) is None


def test_no_run_before(paths, history, request_):
    assert when_finished(paths, request_) is None
    paths.metadata.unlink(missing_ok=True)
    assert when_finished(paths, request_) is None


def test_a_log_that_grows_is_another(config, tmp_path):
    file = tmp_path / "a.parquet"
    file.write_bytes(b"1")
    before = state_of_inputs(config, tmp_path, None, {})
    assert state_of_inputs(config, tmp_path, None, {}) == before
    file.write_bytes(b"12")
    assert state_of_inputs(config, tmp_path, None, {}) != before


def test_the_state_of_serving_logs_is_that_of_their_files(pytestconfig, tmp_path):
    def state(*overrides):
        path = pytestconfig.rootpath / "configs" / "demo.yaml"
        return state_of_serving_logs(load_config(path, overrides))

    compared = f"drift.serving.logs={tmp_path}"
    before = state(compared)
    (tmp_path / "requests.tfrecord").touch()
    assert state(compared) != before
    assert state() == state(compared, "examples.engine=beam") == ""
