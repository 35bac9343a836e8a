"""TFX's InfraValidator as a component that the Kubeflow runner compiles."""

from tfx.components.infra_validator import executor
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import infra_validator_pb2
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types.standard_component_specs import InfraValidatorSpec


class ServingInfraValidator(base_component.BaseComponent):
    """Tries a model in TensorFlow Serving, on the cluster of the run.

    `KubeflowV2DagRunner` refuses `tfx.components.InfraValidator` by its class. This one
    has its specification and its executor, and nothing else.

    Args:
        model: The exported model.
        examples: Raw examples to make requests of.
        serving_spec: TensorFlow Serving's image, and where it runs.
        validation_spec: How long loading may take.
        request_spec: Which requests are made.
    """

    SPEC_CLASS = InfraValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: BaseChannel,
        examples: BaseChannel,
        serving_spec: infra_validator_pb2.ServingSpec,
        validation_spec: infra_validator_pb2.ValidationSpec,
        request_spec: infra_validator_pb2.RequestSpec,
    ):
        super().__init__(
            spec=InfraValidatorSpec(
                model=model,
                examples=examples,
                blessing=Channel(type=standard_artifacts.InfraBlessing),
                serving_spec=serving_spec,
                validation_spec=validation_spec,
                request_spec=request_spec,
            )
        )
