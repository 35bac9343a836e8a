"""`poso experiment`: what `experiments/` finds out, as commands.

Experiments are made of the product's commands and stand above them. This one knows
their names alone, as `cli.main` knows those of the commands: nothing here imports them.
"""

from __future__ import annotations

import click

from cli.lazy_group import LazyGroup

EXPERIMENTS = {
    "yardstick": "Compare a run's model with gradient-boosted trees.",
    "submergence": "Does a model hear rare new users? Plain, control and POSO.",
    "rates": "What are rates of earlier impressions worth? With, without, trees.",
}


@click.group(
    "experiment", cls=LazyGroup, summaries=EXPERIMENTS, module="experiments.{name}"
)
def command() -> None:
    """Find out what a model is worth, with several models or seeds.

    An experiment takes what the other commands make, such as a folder of `poso run`,
    and changes nothing in it, or runs them itself. Some need more than the pipeline
    does: pip install 'poso[experiments]'.

    \b
    Example:
      poso experiment yardstick --run runs/demo
    """
