"""Trains an arm on a day with each seed, fits its trees, and keeps the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cli.console import library_output_to
from experiments.arms.day_arms import DayArm
from experiments.kept_result import KeptResult, Metrics
from experiments.seeds import Experiment, Runner, poso_run, run_seeds
from experiments.trees.boosting import BoostingSettings
from pipeline.config import LogConfig
from pipeline.runners.run_paths import RunPaths
from preprocessing.sources.input_files import input_state

Say = Callable[[str], None]
# Fits the trees of an experiment's newest run, and writes their scores to a file.
TreesRunner = Callable[[Experiment, Path], Metrics]


@dataclass(frozen=True)
class TrainedArm:
    """What one arm on one day has given.

    Attributes:
        of: The arm and its day.
        metrics: The report's numbers, by seed.
        model_scores: Files of the model's scores, by seed.
        trees: What the trees are, and what they use.
        trees_scores: File of their scores.
    """

    of: DayArm
    metrics: list[Metrics]
    model_scores: list[Path]
    trees: Mapping[str, Any]
    trees_scores: Path


def train_arm(
    arm: DayArm,
    seeds: int,
    settings: BoostingSettings,
    say: Say,
    run: Runner | None = None,
    fit: TreesRunner | None = None,
) -> TrainedArm:
    """Trains what has not been trained yet.

    Args:
        arm: What to train.
        seeds: How many: 1, 2, ...
        settings: Of the trees, which are fitted once.
        say: Gets a line of progress at a time.
        run: Trains one seed and writes its scores to `scores_file`; by default `poso
            run`, in a process of its own.
        fit: Fits the trees; by default LightGBM.
    """
    run, fit = run or train_and_score, fit or TreesOf(settings)
    experiment = arm.experiment

    def told(line: str) -> None:
        say(f"{arm.day} {arm.arm}: {line}")

    metrics = run_seeds(experiment, [1], told, run)
    kept = KeptResult(arm.trees_file, _trees_identity(experiment, settings))
    scores = arm.trees_file.with_suffix(".npz")
    trees = kept.read()
    if trees is None:
        told("fitting trees")
        trees = kept.make(partial(fit, experiment, scores))
    else:
        told(f"trees: done before, {kept.file}")
    numbers = range(1, seeds + 1)
    metrics += run_seeds(experiment, numbers[1:], told, run)
    files = [scores_file(experiment, seed) for seed in numbers]
    return TrainedArm(arm, metrics, files, trees, scores)


def scores_file(experiment: Experiment, seed: int) -> Path:
    """Where the scores of one seed are kept, beside its result."""
    return experiment.result_file(seed).with_suffix(".npz")


def train_and_score(experiment: Experiment, seed: int) -> Metrics:
    """Runs the pipeline, scores its evaluation examples, and reads its numbers.

    Raises:
        subprocess.CalledProcessError: The run failed; it has said why.
    """
    metrics = poso_run(experiment, seed)
    with library_output_to(_log(experiment)):
        from experiments.arms.scoring import score_model
        from pipeline.runners.trained_run import read_trained_run

        scored = score_model(read_trained_run(RunPaths(experiment.out)))
        scored.write(scores_file(experiment, seed))
    return metrics


@dataclass(frozen=True)
class TreesOf:
    """Fits LightGBM to the training examples of an experiment's newest run.

    Attributes:
        settings: How.
    """

    settings: BoostingSettings

    def __call__(self, experiment: Experiment, scores: Path) -> Metrics:
        """Writes the scores of the evaluation examples to a file.

        Returns:
            What the trees are, for JSON.
        """
        with library_output_to(_log(experiment)) as console:
            from experiments.arms.scoring import given_scores
            from experiments.trees.ranking import rank_by_trees
            from pipeline.runners.trained_run import read_trained_run

            run = read_trained_run(RunPaths(experiment.out))
            found = rank_by_trees(run, self.settings, say=console.print)
            given_scores(run, found.scores).write(scores)
        return found.as_dict()


def _log(experiment: Experiment) -> Path:
    """What TensorFlow has to say."""
    return experiment.result_file(1).with_name("scoring.log")


def _trees_identity(
    experiment: Experiment, settings: BoostingSettings
) -> dict[str, Any]:
    """What kept trees must be of: these examples and labels, however a model learns."""
    config = experiment.config(1)
    # The trees are the same whatever the number of threads.
    fitted = {name: v for name, v in asdict(settings).items() if name != "threads"}
    return {
        "examples": config.part(LogConfig).model_dump(mode="json"),
        "tasks": list(config.task_names),
        "log": input_state(config.source, config.features, str(experiment.data_dir)),
        "trees": fitted,
    }
