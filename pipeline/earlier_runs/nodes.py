"""The nodes of a pipeline that find what earlier runs made: TFX Resolvers."""

from __future__ import annotations

from collections.abc import Sequence

import tfx.types
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)

from pipeline.earlier_runs.day import EarlierDayStrategy
from pipeline.earlier_runs.models import (
    EarlierModelsStrategy,
    LastBlessedOtherStrategy,
)
from pipeline.earlier_runs.statistics import EarlierStatisticsStrategy


def earlier_day_node(day: str) -> BaseNode:
    """Examples with their state, and vocabularies, of the last day that was run."""
    types = tfx.types.standard_artifacts
    return Resolver(
        strategy_class=EarlierDayStrategy,
        config={"before": day},
        examples=tfx.types.Channel(type=types.Examples),
        transform_graph=tfx.types.Channel(type=types.TransformGraph),
    ).with_id("EarlierDay")


def earlier_statistics_node(examples: tfx.types.BaseChannel) -> BaseNode:
    """Statistics of the last examples before these."""
    return Resolver(
        strategy_class=EarlierStatisticsStrategy,
        examples=examples,
        statistics=tfx.types.Channel(
            type=tfx.types.standard_artifacts.ExampleStatistics
        ),
    ).with_id("EarlierStatistics")


def earlier_models_node(
    examples: tfx.types.BaseChannel, others: Sequence[str]
) -> BaseNode:
    """What the models start from: a blessed one, and its run's others."""
    models = {name: f"{name}_model" for name in others}
    return Resolver(
        strategy_class=EarlierModelsStrategy,
        config={"nodes": {key: trainer_of(name) for name, key in models.items()}},
        examples=examples,
        model_blessing=tfx.types.Channel(
            type=tfx.types.standard_artifacts.ModelBlessing
        ),
        **{
            key: tfx.types.Channel(type=tfx.types.standard_artifacts.Model)
            for key in ("model", *models.values())
        },
    )


def trainer_of(name: str) -> str:
    """The id of the node that trains a model to compare with."""
    return f"{name.capitalize()}Trainer"


def blessed_model_node(today: tfx.types.BaseChannel | None) -> BaseNode:
    """The last blessed model.

    Args:
        today: A model that it must not be; None for the last one there is, by TFX's
            own strategy, the only one that clusters have.
    """
    types = tfx.types.standard_artifacts
    current = {} if today is None else {"current_model": today}
    return Resolver(
        strategy_class=(
            LastBlessedOtherStrategy if current else LatestBlessedModelStrategy
        ),
        model=tfx.types.Channel(type=types.Model),
        model_blessing=tfx.types.Channel(type=types.ModelBlessing),
        **current,
    )
