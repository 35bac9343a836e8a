"""The nodes that try a model in a server and push it."""

from __future__ import annotations

from collections.abc import Mapping

import tfx.components
import tfx.types
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.proto import infra_validator_pb2, pusher_pb2

from pipeline.config import RunConfig, TrialPart
from pipeline.validation.infra_validator import ServingInfraValidator
from pipeline.validation.pusher import WholePusher
from pipeline.validation.serving_validator import ServingValidator
from preprocessing.storage.files import is_remote


def pusher_node(
    trainer: tfx.components.Trainer,
    verdicts: Mapping[str, tfx.types.BaseChannel],
    serving_dir: str,
) -> BaseNode:
    """What pushes a blessed model that passed its trial.

    Args:
        trainer: Of the model.
        verdicts: `blessing`, and of a model that was tried `infra_blessing`.
        serving_dir: Where models are pushed, one numbered folder each.
    """
    return tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=verdicts["blessing"],
        infra_blessing=verdicts.get("infra_blessing"),
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=serving_dir)
        ),
        custom_executor_spec=(
            None if is_remote(serving_dir) else ExecutorClassSpec(WholePusher)
        ),
    )


def trial_node(
    config: RunConfig,
    examples: tfx.types.BaseChannel,
    trainer: tfx.components.Trainer,
    tensorflow_serving: bool,
    retry_of: str,
) -> BaseNode:
    """What tries a model before the push.

    Args:
        config: The run's configuration.
        examples: Raw examples, to take requests from.
        trainer: Of the model.
        tensorflow_serving: In TensorFlow Serving on the run's Kubernetes cluster, and
            not in the embedded server.
        retry_of: As for `create_pipeline`.
    """
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
