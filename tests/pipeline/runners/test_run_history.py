import pytest

from pipeline.runners.run_history import RunHistory as Reader
from pipeline.runners.run_paths import RunPaths
from tests.helpers.run_history import CACHED, daily_run

DATA = {"rows_in": 90, "examples": 85, "rejects": 5}


def metrics(**values):
    rows = [
        {"task": "like", "slice": name, "gauc": {"model": value, "plain": 0.5}}
        for name, value in (("all", 0.75), ("new", None), ("regular", 0.5))
    ]
    verdict = {"blessed": True, "serving_trial": {"passed": True}}
    return {
        "ReportGen": {"metrics.json": {"data": DATA, "gauc": rows} | verdict | values}
    }


def test_a_run_that_pushed_a_model(paths, history):
    daily_run(history, "2022-05-01", version="17", files=metrics())
    [run] = Reader(paths).runs()
    assert (run.run, run.day, run.state) == ("run-of-2022-05-01", "2022-05-01", "done")
    assert (run.rows_in, run.rejects) == (90, 5)
    assert run.gauc == {"like": {"all": 0.75, "new": None}}
    assert (run.blessed, run.not_pushed, run.version) == (True, None, "17")
    assert run.component is None
    assert run.seconds >= 0 < run.started_ms


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"blessed": False}, "gauc"),
        ({"blessed": True, "serving_trial": {"passed": False}}, "trial"),
        ({"blessed": None}, "unjudged"),
    ],
)
def test_why_a_model_was_not_pushed(values, why, paths, history):
    daily_run(history, "2022-05-01", files=metrics(**values))
    [run] = Reader(paths).runs()
    assert (run.blessed, run.not_pushed, run.version) == (values["blessed"], why, None)


def test_a_failed_run_names_its_component_and_has_the_rows_it_read(paths, history):
    read = {"ImpressionExampleGen": {"log_summary.json": DATA}}
    daily_run(history, "2022-05-01", until="Trainer", files=read)
    [run] = Reader(paths).runs()
    assert (run.state, run.component, run.not_pushed) == ("failed", "Trainer", "failed")
    assert (run.rows_in, run.rejects, run.gauc) == (90, 5, {})


def test_a_run_without_its_last_components_was_stopped(paths, history):
    history.begin("killed")
    history.add("ImpressionExampleGen", {"examples": "Examples"})
    history.add("Transform", {"transform_graph": "TransformGraph"})
    [run] = Reader(paths).runs()
    assert (run.state, run.component, run.day) == ("stopped", "Transform", None)


def test_a_run_that_took_all_from_the_cache_says_the_same(paths, history):
    made = daily_run(history, "2022-05-01", version="17", files=metrics())
    history.begin("again")
    outputs = {
        "ImpressionExampleGen": "examples",
        "Trainer": "model",
        "Pusher": "pushed_model",
        "ReportGen": "report",
    }
    for node, output in outputs.items():
        history.add(node, {output: made[node]}, state=CACHED)
    first, again = Reader(paths).runs()
    assert (again.day, again.state, again.gauc) == (first.day, "done", first.gauc)
    assert again.run == "again"


def test_the_newest_version_serves(paths, history):
    assert Reader(paths).serves() is None
    for name in ("9", "10", "models.config"):
        (paths.serving / name).mkdir(parents=True)
    assert Reader(paths).serves() == "10"


def test_records_of_a_folder_that_was_moved_are_read(paths, history, tmp_path):
    daily_run(history, "2022-05-01", files=metrics())
    moved = RunPaths(tmp_path / "elsewhere")
    paths.out.rename(moved.out)
    [run] = Reader(moved).runs()
    assert run.rows_in == 90


def test_a_folder_without_runs_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no run: .*metadata\.sqlite"):
        Reader(RunPaths(tmp_path))
