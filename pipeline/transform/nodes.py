"""Nodes that a pipeline has in two kinds: this machine's, or TFX's own in Beam."""

from __future__ import annotations

import json

import tfx.components
import tfx.types
from tfx.dsl.components.base.base_node import BaseNode

from pipeline.config import RunConfig, ServingStatisticsPart, StatisticsPart
from pipeline.examples.example_validator import ExampleValidator
from pipeline.examples.serving_statistics_gen import ServingStatisticsGen
from pipeline.examples.statistics_gen import StatisticsGen
from pipeline.transform.transform import Transform
from preprocessing.transform.graph import transform_custom_config


def statistics_node(
    config: RunConfig, examples: tfx.types.BaseChannel, on_beam: bool
) -> BaseNode:
    """What describes the splits.

    Args:
        config: The run's configuration.
        examples: Raw examples.
        on_beam: Whether it is TFX's own, which describes all examples.
    """
    if on_beam:
        return tfx.components.StatisticsGen(examples=examples)
    part = config.part(StatisticsPart)
    return StatisticsGen(config=part.model_dump_json(), examples=examples)


def serving_statistics_node(config: RunConfig, logs_state: str) -> BaseNode:
    """What describes the requests that servers logged.

    Args:
        config: The run's configuration, which names their folder.
        logs_state: Changes when the logs' files do.
    """
    part = config.part(ServingStatisticsPart)
    return ServingStatisticsGen(config=part.model_dump_json(), logs_state=logs_state)


def validator_node(
    config: RunConfig,
    statistics: tfx.types.BaseChannel,
    schema: tfx.types.BaseChannel,
    previous: tfx.types.BaseChannel | None,
    serving: tfx.types.BaseChannel | None = None,
) -> BaseNode:
    """What finds anomalies.

    Args:
        config: The run's configuration.
        statistics: Of the splits.
        schema: Of the examples.
        previous: Statistics of an earlier run, if there is one; None takes TFX's own
            component, which compares with the schema alone.
        serving: Statistics of logged requests, if the configuration names any.
    """
    if previous is None:
        return tfx.components.ExampleValidator(statistics=statistics, schema=schema)
    return ExampleValidator(
        config=config.drift.model_dump_json(),
        statistics=statistics,
        schema=schema,
        previous=previous,
        **({} if serving is None else {"serving": serving}),
    )


def transform_node(
    config: RunConfig,
    examples: tfx.types.BaseChannel,
    schema: tfx.types.BaseChannel,
    on_beam: bool,
    earlier: tfx.types.BaseChannel | None = None,
) -> BaseNode:
    """What makes model inputs of raw examples.

    Args:
        config: The run's configuration.
        examples: Raw examples.
        schema: Of these.
        on_beam: Whether it is TFX's own.
        earlier: The graph whose vocabularies are to grow; TFX's own takes none.
    """
    custom_config = transform_custom_config(
        config.features, config.transform, config.training.sample_weights.column
    )
    if not on_beam:
        return Transform(
            custom_config=json.dumps(custom_config),
            examples=examples,
            schema=schema,
            **({} if earlier is None else {"earlier": earlier}),
        )
    return tfx.components.Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="preprocessing.transform.graph.preprocessing_fn",
        custom_config=custom_config,
        disable_statistics=True,
    )
