"""A small model tried in a server of its own process."""

import json
import shutil

import pytest

from pipeline.validation import trial as serving_trial
from pipeline.validation.trial import RESULT_FILE, try_in_server
from serving.export.version_files import list_version_files
from tests.helpers.small_transform import analyzed_rows, settings_with, write_examples

pytestmark = pytest.mark.e2e

ROWS = 6


def config_with(**validation):
    return settings_with(
        serving={
            "warmup_requests": 0,
            "validation": {"requests": ROWS, "candidates": 5, **validation},
        }
    )


@pytest.fixture(scope="module")
def split_dir(small_transform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trial") / "split"
    write_examples(small_transform.examples(analyzed_rows()), folder)
    return str(folder)


def test_a_good_model_passes(exported_dir, split_dir, tmp_path):
    result = try_in_server(config_with(), str(exported_dir), split_dir)
    assert result.problems == []
    assert result.requests == ROWS * 3 * 2
    assert result.max_difference < 1e-5
    signatures = ("serving_default", "predict_raw", "rank")
    ways = {f"{s} over {p}" for s in signatures for p in ("grpc", "rest")}
    assert set(result.p50_ms) == set(result.p99_ms) == ways
    assert all(result.p50_ms[way] <= result.p99_ms[way] for way in ways)
    result.write(str(tmp_path))
    written = json.loads((tmp_path / RESULT_FILE).read_text())
    assert written["passed"] is True
    assert written["requests"] == result.requests


def test_other_scores_and_late_answers_are_problems(
    exported_dir, split_dir, monkeypatch
):
    scores_of = serving_trial._Scorer.__call__
    monkeypatch.setattr(
        serving_trial._Scorer,
        "__call__",
        lambda self, examples: scores_of(self, examples) + 0.01,
    )
    config = config_with(max_p99_ms=1e-6)
    result = try_in_server(config, str(exported_dir), split_dir)
    assert not result.passed
    assert result.max_difference == pytest.approx(0.01, abs=1e-4)
    differing = [problem for problem in result.problems if "scores differ" in problem]
    late = [problem for problem in result.problems if "99th percentile" in problem]
    assert len(differing) == len(late) == 6
    assert len(result.problems) == 12


def test_a_server_that_ends_is_a_problem_that_says_why(
    exported_dir, split_dir, tmp_path
):
    """The warm-up requests, which this process does not read, are broken."""
    broken = tmp_path / "broken"
    shutil.copytree(exported_dir, broken)
    warmup = broken / "assets.extra" / "tf_serving_warmup_requests"
    warmup.write_bytes(b"no record file")
    list_version_files(str(broken))
    result = try_in_server(config_with(), str(broken), split_dir)
    assert not result.passed
    [problem] = result.problems
    assert problem.startswith("the server ended with code 1")
    assert "warm-up" in problem
