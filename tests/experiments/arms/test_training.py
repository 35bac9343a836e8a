"""Who is trained when, with stand-ins for `poso run` and LightGBM."""

import datetime

import numpy as np
import pytest

from experiments.arms.day_arms import day_arms
from experiments.arms.scored_rows import ScoredRows
from experiments.arms.training import scores_file, train_arm
from experiments.trees.boosting import BoostingSettings

DAY = datetime.date(2022, 5, 2)
SETTINGS = BoostingSettings()


@pytest.fixture
def arm_of(pytestconfig, log_dir, tmp_path):
    config_file = pytestconfig.rootpath / "configs" / "submergence.yaml"

    def make(*overrides):
        _, with_rates = day_arms(
            config_file, log_dir, tmp_path / "out", [DAY], overrides, []
        )
        return with_rates

    return make


class StandIns:
    """Note what they are asked for, write scores, and stop at a step."""

    def __init__(self, stops_at=None):
        self.steps = []
        self.stops_at = stops_at

    def run(self, experiment, seed):
        self._step(seed, scores_file(experiment, seed))
        return {"seed": seed}

    def fit(self, experiment, scores):
        self._step("trees", scores)
        return {"inputs": ["rate"]}

    def _step(self, step, file):
        self.steps.append(step)
        number = np.array([len(self.steps)])
        ScoredRows(np.array([b"u"]), number > 0, {}, {"like": number}).write(file)
        if step == self.stops_at:
            raise KeyboardInterrupt


def train(arm, stand_ins, seeds=3, settings=SETTINGS):
    lines = []
    found = train_arm(arm, seeds, settings, lines.append, stand_ins.run, stand_ins.fit)
    return found, lines


def test_trees_are_fitted_once_after_the_first_seed(arm_of):
    stand_ins = StandIns()
    found, lines = train(arm_of(), stand_ins)
    assert stand_ins.steps == [1, "trees", 2, 3]
    assert [metrics["seed"] for metrics in found.metrics] == [1, 2, 3]
    assert found.trees == {"inputs": ["rate"]}
    assert all(file.exists() for file in (*found.model_scores, found.trees_scores))
    assert len(set(found.model_scores)) == 3
    assert lines[0].startswith("2022-05-02 with: seed 1: poso run into ")


@pytest.mark.parametrize(
    ("stops_at", "left"),
    [(1, [1, "trees", 2, 3]), ("trees", ["trees", 2, 3]), (2, [2, 3]), (3, [3])],
)
def test_a_stopped_experiment_goes_on_where_it_was(arm_of, stops_at, left):
    with pytest.raises(KeyboardInterrupt):
        train(arm_of(), StandIns(stops_at))
    again = StandIns()
    train(arm_of(), again)
    assert again.steps == left


def test_more_seeds_leave_those_before_as_they_are(arm_of):
    train(arm_of(), StandIns(), seeds=1)
    again = StandIns()
    found, lines = train(arm_of(), again, seeds=2)
    assert again.steps == [2]
    assert any("trees: done before" in line for line in lines)
    assert len(found.metrics) == len(found.model_scores) == 2


def test_trees_of_the_same_examples_stay_however_the_model_learns(arm_of):
    train(arm_of(), StandIns(), seeds=1)
    faster = StandIns()
    train(arm_of("training.learning_rate=0.5"), faster, seeds=1)
    assert faster.steps == [1]


def test_trees_of_other_examples_or_settings_are_fitted_again(arm_of):
    train(arm_of(), StandIns(), seeds=1)
    slower = StandIns()
    train(arm_of(), slower, seeds=1, settings=BoostingSettings(learning_rate=0.01))
    assert slower.steps == ["trees"]
    shorter = StandIns()
    train(arm_of("features.history_length=3"), shorter, seeds=1)
    assert shorter.steps == [1, "trees"]


def test_threads_do_not_matter_to_trees(arm_of):
    train(arm_of(), StandIns(), seeds=1)
    again = StandIns()
    train(arm_of(), again, seeds=1, settings=BoostingSettings(threads=7))
    assert again.steps == []
