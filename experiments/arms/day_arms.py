"""What is run: each arm on each day, as an experiment of several seeds."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.seeds import MODEL_ALONE, Experiment
from pipeline.config import ConfigError, load_config

WITHOUT, WITH = "without", "with"
ARMS = (WITHOUT, WITH)

_DEFAULT_RATES = "features.rates={}"
_NO_RATES = "features.rates=null"


@dataclass(frozen=True)
class DayArm:
    """One arm on one day.

    Attributes:
        day: What is evaluated on.
        arm: `without` or `with` rates.
        experiment: The seeds' runs, in a folder of their own.
    """

    day: datetime.date
    arm: str
    experiment: Experiment

    @property
    def scores_folder(self) -> Path:
        """Where scores are kept, beside the seeds' results."""
        return self.experiment.result_file(1).parent

    @property
    def trees_file(self) -> Path:
        """Where it is kept what trees were fitted; beside it their scores."""
        return self.scores_folder / "trees.json"


def day_arms(
    config_file: Path,
    data_dir: Path,
    out: Path,
    days: Sequence[datetime.date],
    overrides: Sequence[str],
    rates_overrides: Sequence[str],
) -> list[DayArm]:
    """Both arms of each day: the rates that the configuration has, and none.

    A configuration that has none gets those of `features.rates: {}`.

    Args:
        config_file: The configuration.
        data_dir: Folder of the impression log.
        out: The runs go to `DAY/ARM` in it.
        days: To evaluate on.
        overrides: Changes of the configuration, in both arms.
        rates_overrides: Further changes, in the arm with rates.

    Raises:
        ConfigError: The configuration of an arm is wrong, or not split by day.
    """
    config = load_config(config_file, overrides)
    if config.split.by != "day":
        raise ConfigError(
            f"days are compared: split.by must be day. Received: {config.split.by}"
        )
    rates = () if config.features.rates else (_DEFAULT_RATES,)
    changes = {
        WITHOUT: (*overrides, _NO_RATES),
        WITH: (*overrides, *rates, *rates_overrides),
    }
    for changed in changes.values():
        load_config(config_file, changed)
    before = datetime.timedelta(days=config.split.train_days)
    return [
        DayArm(
            day,
            arm,
            Experiment(
                config_file,
                data_dir,
                out / day.isoformat() / arm,
                (
                    *changes[arm],
                    f"split.train_days={config.split.train_days}",
                    f"split.first_train_day={day - before}",
                    "split.eval_days=1",
                ),
                MODEL_ALONE,
            ),
        )
        for day in days
        for arm in ARMS
    ]
