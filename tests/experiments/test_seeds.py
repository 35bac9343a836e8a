import json
from dataclasses import replace

import pytest

from experiments.seeds import Experiment, run_seeds
from simulator import SimulatorConfig, simulate, write_log


@pytest.fixture
def experiment(pytestconfig, log_dir, tmp_path):
    config_file = pytestconfig.rootpath / "configs" / "submergence.yaml"
    return Experiment(config_file, log_dir, tmp_path)


class Runs:
    """In place of `poso run`: notes the seeds, and fails at one of them."""

    def __init__(self, fails_at=None):
        self.seeds = []
        self.fails_at = fails_at

    def __call__(self, experiment, seed):
        self.seeds.append(seed)
        if seed == self.fails_at:
            raise KeyboardInterrupt
        return {"gauc": [], "seed": seed}


def test_all_models_are_trained_with_the_seed_and_none_is_judged(experiment):
    config = experiment.config(3)
    assert config.training.seed == 3
    assert config.training.baseline
    assert config.training.control
    assert not config.evaluation.enabled


def test_overrides_reach_the_configuration(experiment):
    changed = replace(experiment, overrides=["training.epochs=7"])
    assert changed.config(1).training.epochs == 7


def test_a_stopped_experiment_goes_on_where_it_was(experiment):
    stopped, again, lines = Runs(fails_at=2), Runs(), []
    with pytest.raises(KeyboardInterrupt):
        run_seeds(experiment, [1, 2, 3], lines.append, stopped)
    results = run_seeds(experiment, [1, 2, 3], lines.append, again)
    assert (stopped.seeds, again.seeds) == ([1, 2], [2, 3])
    assert [result["seed"] for result in results] == [1, 2, 3]
    assert "seed 1: done before" in lines[2]
    kept = json.loads(experiment.result_file(3).read_text())
    assert kept["metrics"] == {"gauc": [], "seed": 3}


def test_results_of_another_configuration_or_log_are_not_taken(experiment, tmp_path):
    run_seeds(experiment, [1], print, Runs())
    faster = replace(experiment, overrides=["training.learning_rate=0.5"])
    other_log = tmp_path / "other"
    write_log(simulate(SimulatorConfig(users=101, days=1)), other_log)
    for changed in (faster, replace(experiment, data_dir=other_log)):
        again = Runs()
        run_seeds(changed, [1], print, again)
        assert again.seeds == [1]
