"""What rates of earlier impressions are worth: the model with them and without.

Both are trained through the day before each of some days, with several seeds, and
LightGBM with the same columns stands beside each. Intervals are over users.
"""

from __future__ import annotations

import datetime
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli.options import DATE, FILE, FOLDER, set_option

_WIDTH = 130
RESULT_FILE = "rates.json"
_DRAW_SEED = 17


class _Dates(click.ParamType):
    """Days in a row, `FIRST..LAST`."""

    name = "first..last"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[datetime.date]:
        if not isinstance(value, str):
            return value
        ends = [
            DATE.convert(end, param, ctx).date()
            for end in value.split("..", maxsplit=1)
        ]
        if len(ends) != 2 or ends[0] > ends[1]:
            self.fail(
                "it takes the first and the last day, such as "
                f"2022-05-02..2022-05-05. Received: {value}",
                param,
                ctx,
            )
        days = (ends[1] - ends[0]).days
        return [ends[0] + datetime.timedelta(days=n) for n in range(days + 1)]


@click.command("rates")
@click.option(
    "--config",
    "config_file",
    type=FILE,
    default=Path("configs/kuairand.yaml"),
    show_default=True,
    help="YAML configuration.",
)
@click.option(
    "--data", "data_dir", type=FOLDER, required=True, help="Folder of the log."
)
@click.option("--dates", type=_Dates(), help="Days to evaluate on, the ends included.")
@click.option(
    "--date", "single", type=DATE, multiple=True, help="A day more. Repeatable."
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How many seeds of the model: 1, 2, ...",
)
@click.option(
    "--out",
    type=FOLDER,
    default=Path("runs/rates"),
    show_default=True,
    help="Folder for the runs and their results.",
)
@set_option("training.epochs=3")
@click.option(
    "--rates-set",
    "rates_overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override one value with rates alone, e.g. --rates-set "
    "features.rates.labels=[like]. Repeatable.",
)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    help="Task to show. Repeatable.  [default: the first]",
)
@click.option(
    "--draws",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Of the users.",
)
def command(
    config_file: Path,
    data_dir: Path,
    dates: list[datetime.date] | None,
    single: tuple[datetime.datetime, ...],
    seeds: int,
    out: Path,
    overrides: tuple[str, ...],
    rates_overrides: tuple[str, ...],
    tasks: tuple[str, ...],
    draws: int,
) -> None:
    """Train the model with rates and without on some days, and compare them.

    Each day is evaluated by models that are trained on the split.train_days before it,
    with features.rates as the configuration has it (by default all rates there are)
    and without. The scores of all impressions are kept, and users drawn anew, each
    with all that the user was shown on all days: a difference whose interval does not
    hold zero is not owed to which users there were.

    The same command goes on where it was stopped. All numbers are left in --out,
    rates.json.

    \b
    Example:
      poso experiment rates --data path/to/kuairand-pure \\
        --dates 2022-05-02..2022-05-05
    """
    from experiments.arms.day_arms import day_arms
    from experiments.arms.findings import Findings
    from experiments.arms.results import read_scores, run_numbers
    from experiments.arms.tables import print_findings
    from experiments.arms.training import train_arm
    from experiments.trees.boosting import BoostingSettings, load_lightgbm
    from preprocessing.engine.cores import usable_cores

    console = Console(width=_WIDTH, highlight=False)
    days = sorted({*(dates or ()), *(moment.date() for moment in single)})
    if not days:
        raise click.UsageError("give the days to evaluate on: --dates or --date")
    try:
        load_lightgbm()  # before anything that takes time
        arms = day_arms(config_file, data_dir, out, days, overrides, rates_overrides)
        config = arms[0].experiment.config(1)
        tasks = _known_tasks(tasks, config.task_names)
        settings = BoostingSettings(threads=usable_cores())

        def say(line: str) -> None:
            console.print(line, style="dim", markup=False, soft_wrap=True)

        trained = [train_arm(arm, seeds, settings, say) for arm in arms]
        scored, weighting = read_scores(trained), config.evaluation.weighting
        findings = Findings(scored, weighting, draws, _DRAW_SEED)
        found = {task: findings.of_task(task) for task in tasks}
    except subprocess.CalledProcessError as error:
        raise click.ClickException(
            f"a run failed (exit status {error.returncode}): the same command goes on "
            "with it"
        ) from error
    except (ImportError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    for task, of_task in found.items():
        print_findings(console, task, of_task)
    console.print(
        f"days: {len(days)}; seeds of the models: {seeds}; users: "
        f"{len(findings.user_ids):,}; draws: {draws:,}. Differences are in percentage "
        "points"
    )
    file = out / RESULT_FILE
    written = {
        "seeds": seeds,
        "draws": draws,
        "users": len(findings.user_ids),
        "runs": [run_numbers(arm) for arm in trained],
        "tasks": {task: [f.as_dict() for f in found[task]] for task in tasks},
    }
    file.write_text(json.dumps(written, indent=1), encoding="utf-8")
    console.print(f"all numbers: {file}", markup=False, soft_wrap=True)


def _known_tasks(asked: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The tasks to show, each once: by default the first."""
    for task in asked:
        if task not in known:
            raise ValueError(
                f"--task must be one of {', '.join(known)}. Received: {task}"
            )
    return tuple(dict.fromkeys(asked)) or (known[0],)


if __name__ == "__main__":
    command()
