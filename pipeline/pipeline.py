"""`create_pipeline`: the whole run as a TFX pipeline, the same for every runner."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

# Not tfx.v1, which imports the clients of Vertex AI: a third of the time to start.
import tfx.components
import tfx.types
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import (
    LatestBlessedModelStrategy,
)
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import infra_validator_pb2, pusher_pb2, trainer_pb2

from pipeline.config import (
    InputConfig,
    LogConfig,
    RunConfig,
    TrainerPart,
    TrialPart,
)
from pipeline.evaluation.eval_config import eval_config
from pipeline.evaluation.evaluator import Evaluator
from pipeline.examples.example_gen import ImpressionExampleGen
from pipeline.examples.schema_gen import ContractSchemaGen
from pipeline.report.report_gen import ReportGen
from pipeline.validation.infra_validator import ServingInfraValidator
from pipeline.validation.serving_validator import ServingValidator
from preprocessing.transform.graph import transform_custom_config


def create_pipeline(
    config: RunConfig,
    *,
    data_dir: str,
    pipeline_root: str,
    serving_dir: str,
    rejects_dir: str,
    input_state: str = "",
    metadata_connection_config: object | None = None,
    beam_pipeline_args: Sequence[str] = (),
    enable_cache: bool = True,
    tensorflow_serving: bool = False,
    retry_of: str = "",
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
        metadata_connection_config: ML Metadata; runners on a cluster bring their own.
        beam_pipeline_args: Passed to every Beam job.
        enable_cache: Whether finished components with unchanged inputs are reused.
        tensorflow_serving: Try a model before the push in TensorFlow Serving, on the
            Kubernetes cluster of the run, and not in the embedded server.
        retry_of: The failed trial in the embedded server that is to be run again
            (`trial_retry.trial_to_retry`).
    """
    nodes: list[BaseNode] = []

    # The log becomes point-in-time features, split by day or
    # by user; bad rows go to the rejects.
    example_gen = ImpressionExampleGen(
        input_base=data_dir,
        config=config.part(LogConfig).model_dump_json(),
        rejects_dir=rejects_dir,
        input_state=input_state,
    )
    examples = example_gen.outputs["examples"]

    # What the day looks like, what it should look like, and where the two differ.
    statistics_gen = tfx.components.StatisticsGen(examples=examples)
    schema_gen = ContractSchemaGen(config=config.part(InputConfig).model_dump_json())
    schema = schema_gen.outputs["schema"]
    validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema
    )

    # Buckets, vocabularies and padded sequences; the same graph runs in serving.
    transform = tfx.components.Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="preprocessing.transform.graph.preprocessing_fn",
        custom_config=transform_custom_config(
            config.features, config.transform, config.training.sample_weights.column
        ),
        disable_statistics=True,
    )
    nodes += [example_gen, statistics_gen, schema_gen, validator, transform]

    # The configured model and, to compare with, the same model without any gate, and
    # with gates that hear nothing.
    trainer = _trainer(config, transform, schema, pipeline_root)
    nodes.append(trainer)
    compared = {}
    if config.training.baseline and config.model.poso.any:
        compared["plain"] = _trainer(config.plain(), transform, schema, pipeline_root)
    if config.training.control:
        compared["control"] = _trainer(
            config.control(), transform, schema, pipeline_root
        )
    for name, baseline in compared.items():
        nodes.append(baseline.with_id(f"{name.capitalize()}Trainer"))

    # A model is judged, tried in a server and pushed, unless a run only compares.
    verdicts: dict[str, tfx.types.BaseChannel] = {}
    if config.evaluation.enabled:
        last_blessed, evaluator = _evaluator(config, examples, trainer)
        verdicts["blessing"] = evaluator.outputs["blessing"]
        nodes += [last_blessed, evaluator]
        if config.serving.validation.enabled:
            # A model that the server cannot serve, or serves with other scores, is not
            # pushed.
            trial = _serving_trial(
                config, examples, trainer, tensorflow_serving, retry_of
            )
            verdicts["infra_blessing"] = trial.outputs["blessing"]
            nodes.append(trial)
        nodes.append(_pusher(trainer, verdicts, serving_dir))

    # One page on the run, and the numbers that the command prints.
    report = ReportGen(
        config=config.model_dump_json(),
        examples=examples,
        model=trainer.outputs["model"],
        model_run=trainer.outputs["model_run"],
        anomalies=validator.outputs["anomalies"],
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
        components=nodes,
        enable_cache=enable_cache,
        metadata_connection_config=metadata_connection_config,
        beam_pipeline_args=list(beam_pipeline_args),
    )


def _evaluator(
    config: RunConfig,
    examples: tfx.types.BaseChannel,
    trainer: tfx.components.Trainer,
) -> tuple[BaseNode, BaseNode]:
    """The last blessed model, and what blesses one if no slice falls against it.

    As far as the two can be compared.
    """
    last_blessed = Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=tfx.types.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.types.Channel(
            type=tfx.types.standard_artifacts.ModelBlessing
        ),
    ).with_id("LatestBlessedModel")
    evaluator = Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=last_blessed.outputs["model"],
        eval_config=eval_config(config),
    )
    return last_blessed, evaluator


def _pusher(
    trainer: tfx.components.Trainer,
    verdicts: Mapping[str, tfx.types.BaseChannel],
    serving_dir: str,
) -> BaseNode:
    """Only a blessed model that passed its trial reaches the servers."""
    return tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=verdicts["blessing"],
        infra_blessing=verdicts.get("infra_blessing"),
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=serving_dir)
        ),
    )


def _serving_trial(
    config: RunConfig,
    examples: tfx.types.BaseChannel,
    trainer: tfx.components.Trainer,
    tensorflow_serving: bool,
    retry_of: str,
) -> BaseNode:
    if not tensorflow_serving:
        return ServingValidator(
            config=config.part(TrialPart).model_dump_json(),
            examples=examples,
            model=trainer.outputs["model"],
            retry_of=retry_of,
        )
    settings = config.serving.validation
    return ServingInfraValidator(
        model=trainer.outputs["model"],
        examples=examples,
        serving_spec=infra_validator_pb2.ServingSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServing(
                tags=settings.serving_image_tags
            ),
            kubernetes=infra_validator_pb2.KubernetesConfig(),
            model_name=config.serving.model_name,
        ),
        validation_spec=infra_validator_pb2.ValidationSpec(
            max_loading_time_seconds=round(settings.start_timeout_s)
        ),
        request_spec=infra_validator_pb2.RequestSpec(
            tensorflow_serving=infra_validator_pb2.TensorFlowServingRequestSpec(
                signature_names=["serving_default"]
            ),
            split_name="eval",
            num_examples=settings.requests,
        ),
    )


def _trainer(
    config: RunConfig,
    transform: tfx.components.Transform,
    schema: object,
    pipeline_root: str,
) -> tfx.components.Trainer:
    return tfx.components.Trainer(
        run_fn="pipeline.training.trainer.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        train_args=trainer_pb2.TrainArgs(splits=["train"]),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config={
            "config": config.part(TrainerPart).model_dump_json(),
            "checkpoint_dir": os.path.join(pipeline_root, "training_checkpoints"),
        },
    )
