"""Two logs after one another in one folder, as a daily job has them."""

import json

import pytest

from pipeline.runners.run_paths import RunPaths
from simulator import SimulatorConfig, simulate, write_log
from tests.helpers.small_run import SETS
from tests.helpers.small_run import printed_by as poso

pytestmark = pytest.mark.e2e

QUICK = (
    "training.warm_start=true",
    "training.baseline=false",
    "serving.validation.enabled=false",
)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return RunPaths(tmp_path_factory.mktemp("daily") / "out")


@pytest.fixture(scope="module")
def run(pytestconfig, tmp_path_factory, paths):
    """Runs the pipeline on the log of some days; returns what it printed."""
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    logs = tmp_path_factory.mktemp("logs")

    def run(days):
        log = logs / str(days)
        if not log.exists():
            write_log(simulate(SimulatorConfig(users=150, days=days)), log)
        places = ("--config", config, "--data", log, "--out", paths.out)
        given = [part for item in QUICK for part in ("--set", item)]
        return " ".join(poso("run", *places, *SETS, *given).split())

    return run


@pytest.fixture(scope="module")
def printed(run):
    """By the first run, and by one on a longer log."""
    return run(4), run(5)


def status(paths):
    return json.loads(poso("status", "--out", paths.out, "--json"))


def test_the_second_starts_from_the_first_ones_model(printed, paths):
    first, second = printed
    assert "model: starts fresh, there is no blessed model of earlier" in first
    models = (paths.pipeline_root / "Trainer" / "model").iterdir()
    earlier = min(models, key=lambda place: int(place.name))
    assert f"model: starts from {earlier}/Format-Serving; known ids: " in second


def test_status_has_both(printed, paths):
    found = status(paths)
    assert [run["state"] for run in found["runs"]] == ["done", "done"]
    assert found["runs"][0]["rows_in"] < found["runs"][1]["rows_in"]
    assert found["serves"]["run"] == found["runs"][1]["run"]
    assert found["held_by"] is None


def test_after_cleaning_up_the_same_run_has_nothing_to_do(printed, run, paths):
    before = status(paths)
    said = poso("clean", "--out", paths.out, "--keep", 1)
    assert "removes artifacts of 1 run" in said
    assert status(paths)["serves"] == before["serves"]
    again = run(5)
    assert "nothing has changed" in again
    assert [run["state"] for run in status(paths)["runs"]] == ["done"] * 2
