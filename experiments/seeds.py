"""The same run with several seeds of the model: one `poso run` each, into one folder.

Features and Transform are made once and reused; trainings are not. What a seed gave is
kept, so that a stopped experiment goes on where it was.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from experiments.kept_result import KeptResult, Metrics
from pipeline.config import RunConfig, load_config
from preprocessing.sources.input_files import input_state

# Which models are trained: the configured one, plain and control, or the first alone.
ALL_MODELS = ("training.baseline=true", "training.control=true")
MODEL_ALONE = ("training.baseline=false", "training.control=false")
# None is to be judged or served.
_SETTINGS = ("evaluation.enabled=false",)


@dataclass(frozen=True)
class Experiment:
    """What is run with every seed.

    Attributes:
        config_file: the configuration.
        data_dir: folder of the impression log.
        out: folder of the runs; results go to `seeds/` in it.
        overrides: changes of the configuration, `key=value`.
        models: which models are trained, as changes of the configuration.
    """

    config_file: Path
    data_dir: Path
    out: Path
    overrides: Sequence[str] = ()
    models: Sequence[str] = ALL_MODELS

    def settings(self, seed: int) -> tuple[str, ...]:
        """All changes of the configuration, for one seed."""
        return (*self.models, *_SETTINGS, *self.overrides, f"training.seed={seed}")

    def config(self, seed: int) -> RunConfig:
        """The configuration of one seed."""
        return load_config(self.config_file, self.settings(seed))

    def result_file(self, seed: int) -> Path:
        """Where the result of one seed is kept."""
        return self.out / "seeds" / f"seed-{seed}.json"


Runner = Callable[[Experiment, int], Metrics]


def run_seeds(
    experiment: Experiment,
    seeds: Iterable[int],
    say: Callable[[str], None],
    run: Runner | None = None,
) -> list[Metrics]:
    """The report's numbers of each seed; those that are there already are read.

    Args:
        experiment: What to run.
        seeds: Of the model.
        say: Gets a line of progress at a time.
        run: Runs one seed; by default `poso run`, in a process of its own.
    """
    run = run or poso_run
    results = []
    for seed in seeds:
        kept = KeptResult(experiment.result_file(seed), _identity(experiment, seed))
        metrics = kept.read()
        if metrics is None:
            say(f"seed {seed}: poso run into {experiment.out}")
            metrics = kept.make(partial(run, experiment, seed))
        else:
            say(f"seed {seed}: done before, {kept.file}")
        results.append(metrics)
    return results


def poso_run(experiment: Experiment, seed: int) -> Metrics:
    """Runs the pipeline and reads the report's numbers.

    Raises:
        subprocess.CalledProcessError: The run failed; it has said why.
    """
    from pipeline.runners.run_paths import RunPaths
    from pipeline.runners.run_result import read_result

    sets = [part for item in experiment.settings(seed) for part in ("--set", item)]
    places = {
        "--config": experiment.config_file,
        "--data": experiment.data_dir,
        "--out": experiment.out,
    }
    options = [str(part) for pair in places.items() for part in pair]
    subprocess.run([sys.executable, "-m", "cli", "run", *options, *sets], check=True)
    return read_result(RunPaths(experiment.out)).metrics


def _identity(experiment: Experiment, seed: int) -> dict[str, Any]:
    """What a kept result must be of: this configuration and this log."""
    config = experiment.config(seed)
    log = input_state(config.source, config.features, str(experiment.data_dir))
    return {"config": config.model_dump(mode="json"), "log": log}
