"""`create_pipeline`: the whole run as a TFX pipeline, the same for every runner."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

# Not tfx.v1, which imports the clients of Vertex AI: a third of the time to start.
import tfx.components
import tfx.types
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2

from pipeline.config import (
    InputConfig,
    LogConfig,
    RunConfig,
    TrainerPart,
)
from pipeline.earlier_runs.nodes import (
    blessed_model_node,
    earlier_day_node,
    earlier_models_node,
    earlier_statistics_node,
    trainer_of,
)
from pipeline.evaluation.eval_config import eval_config
from pipeline.evaluation.evaluator import Evaluator
from pipeline.examples.example_gen import ImpressionExampleGen
from pipeline.examples.schema_gen import ContractSchemaGen
from pipeline.partial_runs import nodes_until
from pipeline.report.report_gen import ReportGen
from pipeline.transform.nodes import (
    serving_statistics_node,
    statistics_node,
    transform_node,
    validator_node,
)
from pipeline.validation.nodes import pusher_node, trial_node


def create_pipeline(
    config: RunConfig,
    *,
    data_dir: str,
    pipeline_root: str,
    serving_dir: str,
    rejects_dir: str,
    input_state: str = "",
    serving_logs_state: str = "",
    input_options: Mapping[str, Any] | None = None,
    metadata_connection_config: object | None = None,
    beam_pipeline_args: Sequence[str] = (),
    enable_cache: bool = True,
    tensorflow_serving: bool = False,
    retry_of: str = "",
    last_day: str = "",
    until: str = "",
) -> Pipeline:
    """Builds the pipeline; it reads nothing and starts nothing.

    Args:
        config: The run's configuration.
        data_dir: Folder (or file) of the impression log.
        pipeline_root: Where artifacts go.
        serving_dir: Where blessed models are pushed, one numbered folder each.
        rejects_dir: Where rows that break the contract are kept.
        input_state: What the log's files are at the moment; examples are made anew
            when it changes.
        serving_logs_state: What the files of `drift.serving.logs` are at the moment.
        input_options: Further arguments of `ImpressionExampleGen`: a state to start
            from, a feature table in place of a log, days of the log.
        metadata_connection_config: ML Metadata; runners on a cluster bring their own.
        beam_pipeline_args: Passed to every Beam job.
        enable_cache: Whether finished components with unchanged inputs are reused.
        tensorflow_serving: Try a model before the push in TensorFlow Serving, on the
            Kubernetes cluster of the run, and not in the embedded server.
        retry_of: The failed trial in the embedded server that is to be run again
            (`trial_retry.trial_to_retry`).
        last_day: The day to evaluate on, as an ISO date, of a pipeline that is run day
            by day: it goes on from the examples of the day before, and starts from and
            is compared with models of days before. Empty for what the configuration
            says.
        until: Id of the component that the pipeline ends with; empty for all.

    Raises:
        UnknownComponentError: There is no such component.
    """
    nodes: list[BaseNode] = []
    on_beam = config.examples.engine == "beam"
    # An id that is known but not seen has a trained row only in a model that keeps it.
    grow = config.training.warm_start
    before: Mapping[str, tfx.types.BaseChannel] = {}
    if last_day:
        earlier_day = earlier_day_node(last_day)
        before = earlier_day.outputs
        nodes.append(earlier_day)

    # The log becomes point-in-time features, split by day or
    # by user; bad rows go to the rejects.
    example_gen = ImpressionExampleGen(
        input_base=data_dir,
        config=config.part(LogConfig).model_dump_json(),
        rejects_dir=rejects_dir,
        input_state=input_state,
        last_day=last_day,
        earlier=before.get("examples"),
        **(input_options or {}),
    )
    examples = example_gen.outputs["examples"]

    # What the day looks like, what it should look like, and where it differs from that
    # from the day before, and from what the model is asked in serving.
    statistics_gen = statistics_node(config, examples, on_beam)
    schema_gen = ContractSchemaGen(config=config.part(InputConfig).model_dump_json())
    schema = schema_gen.outputs["schema"]
    nodes += [example_gen, statistics_gen, schema_gen]
    statistics, previous, served = statistics_gen.outputs["statistics"], None, None
    if not on_beam:
        if config.drift.serving.logs is not None:
            serving_gen = serving_statistics_node(config, serving_logs_state)
            served = serving_gen.outputs["statistics"]
            nodes.append(serving_gen)
        earlier_statistics = earlier_statistics_node(examples)
        previous = earlier_statistics.outputs["statistics"]
        nodes.append(earlier_statistics)
    validator = validator_node(config, statistics, schema, previous, served)

    # Buckets, vocabularies and padded sequences; the same graph runs in serving.
    transform = transform_node(
        config,
        examples,
        schema,
        on_beam,
        before.get("transform_graph") if grow else None,
    )
    nodes += [validator, transform]

    # The configured model and, to compare with, the same model without any gate, and
    # with gates that hear nothing.
    others = {}
    if config.training.baseline and config.model.poso.any:
        others["plain"] = config.plain()
    if config.training.control:
        others["control"] = config.control()
    bases: Mapping[str, tfx.types.BaseChannel] = {}
    if config.training.warm_start:
        started_from = earlier_models_node(examples, list(others)).with_id(
            "EarlierModels"
        )
        bases = started_from.outputs
        nodes.append(started_from)
    trainer = _trainer(config, transform, schema, pipeline_root, bases.get("model"))
    nodes.append(trainer)
    compared = {}
    for name, other in others.items():
        base = bases.get(f"{name}_model")
        baseline = _trainer(other, transform, schema, pipeline_root, base)
        compared[name] = baseline.with_id(trainer_of(name))
        nodes.append(baseline)

    # A model is judged, tried in a server and pushed, unless a run only compares.
    verdicts: dict[str, tfx.types.BaseChannel] = {}
    if config.evaluation.enabled:
        last_blessed, evaluator = _evaluator(
            config, examples, trainer, by_day=bool(last_day), on_beam=on_beam
        )
        verdicts["blessing"] = evaluator.outputs["blessing"]
        nodes += [last_blessed, evaluator]
        if config.serving.validation.enabled:
            # A model that the server cannot serve, or serves with other scores, is not
            # pushed.
            trial = trial_node(config, examples, trainer, tensorflow_serving, retry_of)
            verdicts["infra_blessing"] = trial.outputs["blessing"]
            nodes.append(trial)
        nodes.append(pusher_node(trainer, verdicts, serving_dir))

    # One page on the run, and the numbers that the command prints.
    report = ReportGen(
        config=config.model_dump_json(),
        examples=examples,
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        anomalies=validator.outputs["anomalies"],
        statistics=statistics,
        **{f"{name}_model": node.outputs["model"] for name, node in compared.items()},
        **{
            f"{name}_model_run": node.outputs["model_run"]
            for name, node in compared.items()
        },
        **verdicts,
    )
    nodes.append(report)
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=pipeline_root,
        components=nodes_until(nodes, until),
        enable_cache=enable_cache,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(beam_pipeline_args),
    )


def _evaluator(
    config: RunConfig,
    examples: tfx.types.BaseChannel,
    trainer: tfx.components.Trainer,
    by_day: bool,
    on_beam: bool,
) -> tuple[BaseNode, BaseNode]:
    """The last blessed model, and what blesses one if no slice falls against it.

    As far as the two can be compared. Of a pipeline that is run day by day it is the
    last one of an earlier day, so that a day that is run again is judged as before.
    """
    if by_day:
        last_blessed = earlier_models_node(examples, [])
    else:
        last_blessed = blessed_model_node(None if on_beam else trainer.outputs["model"])
    last_blessed = last_blessed.with_id("LatestBlessedModel")
    evaluator = Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=last_blessed.outputs["model"],
        eval_config=eval_config(config),
    )
    return last_blessed, evaluator


def _trainer(
    config: RunConfig,
    transform: tfx.components.Transform,
    schema: object,
    pipeline_root: str,
    base_model: tfx.types.BaseChannel | None,
) -> tfx.components.Trainer:
    return tfx.components.Trainer(
        run_fn="pipeline.training.trainer.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        base_model=base_model,
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config={
            "config": config.part(TrainerPart).model_dump_json(),
            "checkpoint_dir": os.path.join(pipeline_root, "training_checkpoints"),
        },
    )
