"""The command, with stand-ins for `poso run` and LightGBM."""

import json
import subprocess
from importlib.util import find_spec

import numpy as np
import pytest
from click.testing import CliRunner

from cli.main import main
from experiments.arms import training
from experiments.arms.scored_rows import ScoredRows
from preprocessing.contract.rates import DEFAULT_SUBJECTS
from preprocessing.storage.files import SourceError

needs_lightgbm = pytest.mark.skipif(
    find_spec("lightgbm") is None, reason="lightgbm is not installed"
)
DAYS = ("--dates", "2022-05-02..2022-05-03")


@pytest.fixture
def rates(pytestconfig, log_dir, tmp_path, monkeypatch):
    """Runs the command; scores tell labels with rates, and nothing without."""

    def write(experiment, file):
        random = np.random.default_rng(int(file.parts[-4][-1]))
        users = random.integers(20, size=200)
        labels = random.integers(2, size=200).astype(np.int8)
        told = experiment.config(1).features.rates is not None
        names = experiment.config(1).task_names
        ScoredRows(
            np.array([b"u%d" % user for user in users]),
            users < 5,
            dict.fromkeys(names, labels),
            dict.fromkeys(names, labels if told else random.random(200)),
        ).write(file)

    def run(experiment, seed):
        write(experiment, training.scores_file(experiment, seed))
        return {"train_impressions": 7, "eval_impressions": 200}

    def fit(self, experiment, scores):
        write(experiment, scores)
        return {"inputs": []}

    monkeypatch.setattr(training, "train_and_score", run)
    monkeypatch.setattr(training.TreesOf, "__call__", fit)
    places = {
        "--config": pytestconfig.rootpath / "configs" / "submergence.yaml",
        "--data": log_dir,
        "--out": tmp_path / "out",
    }
    options = [str(part) for pair in places.items() for part in pair]

    def invoke(*arguments):
        words = ["experiment", "rates", *options, "--draws", "100", *arguments]
        return CliRunner().invoke(main, words)

    return invoke


@needs_lightgbm
def test_all_numbers_are_written(rates, tmp_path):
    result = rates(*DAYS, "--date", "2022-05-05", "--seeds", "2", "--task", "like")
    assert result.exit_code == 0, result.output
    assert "like, mean of 3 days" in result.output
    assert "like, 2022-05-05" in result.output
    written = json.loads((tmp_path / "out" / "rates.json").read_text())
    runs = [(run["day"], run["arm"]) for run in written["runs"]]
    days = ("2022-05-02", "2022-05-03", "2022-05-05")
    assert runs == [(day, arm) for day in days for arm in ("without", "with")]
    without, with_rates = (run["config"]["features"] for run in written["runs"][:2])
    assert without["rates"] is None
    assert tuple(with_rates["rates"]["subjects"]) == DEFAULT_SUBJECTS
    [found] = [
        row
        for row in written["tasks"]["like"]
        if (row["what"], row["metric"], row["slice"], row["day"])
        == ("model with", "gauc", "all", None)
    ]
    assert (found["value"], found["low"], found["by_seed"]) == (1, 1, [1, 1])


@needs_lightgbm
def test_by_default_the_first_task_is_shown(rates, tmp_path):
    assert rates(*DAYS, "--seeds", "1").exit_code == 0
    written = json.loads((tmp_path / "out" / "rates.json").read_text())
    assert list(written["tasks"]) == ["long_view"]


@needs_lightgbm
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((*DAYS, "--task", "sleep"), "--task must be one of long_view"),
        ((*DAYS, "--set", "features.rats={}"), "did you mean 'rates'"),
        ((*DAYS, "--rates-set", "features.rates.labels=[sleep]"), "sleep"),
    ],
)
def test_what_cannot_be_compared_is_said(rates, options, said):
    result = rates(*options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give the days to evaluate on"),
        (("--dates", "2022-05-02"), "the first and the last day"),
        (("--dates", "2022-05-03..2022-05-02"), "the first and the last day"),
        (("--dates", "soon..later"), "'soon' does not match"),
    ],
)
def test_days_that_are_none(rates, options, said):
    result = rates(*options)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


@needs_lightgbm
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (subprocess.CalledProcessError(1, "poso run"), "a run failed (exit status 1)"),
        (SourceError("no such log"), "no such log"),
    ],
)
def test_a_run_that_fails_is_one_line(rates, monkeypatch, error, said):
    def fail(experiment, seed):
        raise error

    monkeypatch.setattr(training, "train_and_score", fail)
    result = rates(*DAYS)
    assert result.exit_code == 1
    assert said in result.stderr
