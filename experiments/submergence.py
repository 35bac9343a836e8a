"""Submergence: does a model hear the personalization code of rare new users?

On a simulated feed in which new users make 0.5 % of the training impressions the plain
model, the control (the same gates, fed a constant) and POSO are trained with several
seeds. POSO less control is what personalization gains.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from rich.console import Console

from cli.options import FILE, FOLDER, set_option
from experiments.paired import gate_means, slice_spreads
from experiments.seeds import Experiment, run_seeds
from experiments.tables import print_tables

_WIDTH = 150
RESULT_FILE = "submergence.json"


@click.command("submergence")
@click.option(
    "--config",
    "config_file",
    type=FILE,
    default=Path("configs/submergence.yaml"),
    show_default=True,
    help="YAML configuration.",
)
@click.option(
    "--data",
    "data_dir",
    type=FOLDER,
    help="Folder of an impression log.  [default: a simulated one, below --out]",
)
@click.option(
    "--out",
    type=FOLDER,
    default=Path("runs/submergence"),
    show_default=True,
    help="Folder for the runs and their results.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How many seeds of the models: 1, 2, ...",
)
@click.option("--users", default=50_000, show_default=True, help="Simulated users.")
@click.option(
    "--newcomers",
    default=0.1,
    show_default=True,
    help="Share to keep of the simulated users who first launch before the last day.",
)
@click.option("--log-seed", default=31, show_default=True, help="Of the simulation.")
@set_option("training.learning_rate=0.001")
def command(
    config_file: Path,
    data_dir: Path | None,
    out: Path,
    seeds: int,
    users: int,
    newcomers: float,
    log_seed: int,
    overrides: tuple[str, ...],
) -> None:
    """Train plain, control and POSO with several seeds, and compare them.

    The same command goes on where it was stopped. The numbers of all seeds are left in
    --out, submergence.json.
    """
    console = Console(width=_WIDTH)
    if data_dir is None:
        data_dir = _simulated(console, out, users, newcomers, log_seed)
    experiment = Experiment(config_file, data_dir, out, overrides)
    results = run_seeds(experiment, range(1, seeds + 1), console.print)
    spreads, gates = slice_spreads(results), gate_means(results)
    print_tables(console, spreads, gates, seeds)
    file = out / RESULT_FILE
    written = {
        "config": experiment.config(1).model_dump(
            mode="json", exclude={"training": {"seed"}}
        ),
        "seeds": seeds,
        "train_impressions": results[0]["train_impressions"],
        "eval_impressions": results[0]["eval_impressions"],
        "slices": [row.as_dict() for row in spreads],
        "gates": gates,
    }
    file.write_text(json.dumps(written, indent=1), encoding="utf-8")
    console.print(f"all numbers: {file}")


def _simulated(
    console: Console, out: Path, users: int, newcomers: float, seed: int
) -> Path:
    """The log of these settings, written unless it is there."""
    from simulator import SimulatorConfig, simulate, write_log

    folder = out / f"log-{users}-{newcomers:g}-{seed}"
    if folder.exists():
        console.print(f"using the log of an earlier run: {folder}")
        return folder
    log = simulate(SimulatorConfig(users=users, newcomers=newcomers, seed=seed))
    unfinished = folder.with_suffix(".unfinished")
    write_log(log, unfinished)
    unfinished.rename(folder)
    console.print(f"simulated {log.num_rows:,} impressions: {folder}")
    return folder


if __name__ == "__main__":
    command()
