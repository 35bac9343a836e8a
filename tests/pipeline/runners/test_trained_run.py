import shutil
from pathlib import Path

import pytest

from pipeline.evaluation.rankings import MODEL, PLAIN
from pipeline.runners.metadata_file import RunFolderError
from pipeline.runners.run_paths import RunPaths
from pipeline.runners.trained_run import read_trained_run
from tests.helpers.run_history import CACHED
from tests.helpers.small_transform import settings_with

CONFIG = settings_with(features={"history_length": 5})


def add_run(history, name="first", config=CONFIG, plain=True, report=True):
    history.begin(name)
    trainers = ("Trainer", "PlainTrainer") if plain else ("Trainer",)
    examples = history.add("ImpressionExampleGen", {"examples": "Examples"})
    for split in ("train", "eval"):
        place = Path(history.artifact(examples["examples"]).uri)
        (place / f"Split-{split}").mkdir()
    for node in trainers:
        model = history.add(node, {"model": "Model"})["model"]
        uri = history.artifact(model).uri
        (Path(uri) / "Format-Serving").mkdir()
    if report:
        parameters = {"config": config.model_dump_json()} if config else {}
        history.add("ReportGen", {"report": "poso.Report"}, parameters=parameters)


def test_examples_models_and_configuration_are_found(history, paths):
    add_run(history)
    run = read_trained_run(paths)
    assert run.config == CONFIG
    assert run.train_dir.is_dir()
    assert (run.train_dir.name, run.eval_dir.name) == ("Split-train", "Split-eval")
    assert run.train_dir.parent == run.eval_dir.parent
    assert {n: p.parents[2].name for n, p in run.model_dirs.items()} == {
        MODEL: "Trainer",
        PLAIN: "PlainTrainer",
    }


def test_it_is_the_newest_run(history, paths):
    add_run(history)
    other = settings_with(features={"history_length": 7})
    add_run(history, "second", other, plain=False)
    run = read_trained_run(paths)
    assert run.config == other
    assert run.model_dirs.keys() == {MODEL}


def test_a_folder_that_was_moved_is_read_where_it_is(history, paths, tmp_path):
    add_run(history)
    shutil.move(paths.out, tmp_path / "moved")
    run = read_trained_run(RunPaths(tmp_path / "moved"))
    places = [run.train_dir, run.eval_dir, *run.model_dirs.values()]
    assert all(place.is_relative_to(tmp_path / "moved") for place in places)


def test_a_report_from_the_cache_has_the_configuration_too(history, paths):
    add_run(history, report=False)
    parameters = {"config": CONFIG.model_dump_json()}
    outputs = {"report": "poso.Report"}
    history.add("ReportGen", outputs, state=CACHED, parameters=parameters)
    assert read_trained_run(paths).config == CONFIG


def test_a_run_that_did_not_finish_is_named(history, paths):
    add_run(history, report=False)
    with pytest.raises(FileNotFoundError, match="did not finish: no output of Report"):
        read_trained_run(paths)


def test_what_was_removed_is_named(history, paths):
    add_run(history)
    [split] = paths.pipeline_root.glob("ImpressionExampleGen/examples/*/Split-eval")
    split.rmdir()
    with pytest.raises(FileNotFoundError, match=r"Split-eval is gone"):
        read_trained_run(paths)


def test_settings_of_another_release_are_named(history, paths):
    add_run(history, config=None)
    with pytest.raises(RunFolderError, match="do not say with which configuration"):
        read_trained_run(paths)
    history.begin("second")
    history.add("ImpressionExampleGen", {"examples": "Examples"})
    history.add("Trainer", {"model": "Model"})
    text = CONFIG.model_dump_json().replace('"tasks"', '"jobs"', 1)
    history.add("ReportGen", {"report": "poso.Report"}, parameters={"config": text})
    with pytest.raises(RunFolderError, match=r"other settings \((tasks|jobs)"):
        read_trained_run(paths)


def test_a_folder_without_a_run_is_said(paths):
    with pytest.raises(FileNotFoundError, match="holds no run"):
        read_trained_run(paths)
