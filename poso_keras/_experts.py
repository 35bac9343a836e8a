"""What the plain and the personalized mixture of experts have in common."""

from collections.abc import Sequence
from typing import Any

from poso_keras._backend import Layer, Shape, Tensor, keras, ops
from poso_keras._shapes import check_positive, check_units, last_dim
from poso_keras._shared_columns import cast_with_shared, multiply
from poso_keras._weights import WeightOptions


class ExpertMixture(Layer):
    """Holds stacked experts and one softmax gate per task.

    Kernels are [experts, in, out], activations [experts, batch, out]: one matrix
    product per layer for all experts together.
    """

    def __init__(
        self,
        num_experts: int,
        expert_units: Any = (256, 128),
        num_tasks: int = 1,
        activation: Any = "relu",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_experts = check_positive("num_experts", num_experts)
        self.expert_units = check_units("expert_units", expert_units)
        self.num_tasks = check_positive("num_tasks", num_tasks)
        self.activation = keras.activations.get(activation)
        self.use_bias = bool(use_bias)
        self.kernel_options = WeightOptions(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.bias_options = WeightOptions(
            "bias", bias_initializer, bias_regularizer, bias_constraint
        )

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """Returns None: the outputs have no steps that could be masked."""
        return None  # noqa: RET501  (AutoGraph fails on a body of a docstring alone)

    def build_experts(self, inputs_shape: Shape) -> None:
        """Creates the weights of the experts and of the task gates."""
        input_width = width = last_dim("inputs", inputs_shape, rank=2)
        self.expert_kernels, self.expert_biases = [], []
        for index, units in enumerate(self.expert_units):
            shape = (self.num_experts, width, units)
            seeds_used = index * self.num_experts
            self.expert_kernels.append(
                self.kernel_options.add_kernel(
                    self, f"expert_kernel_{index}", shape, seeds_used
                )
            )
            if self.use_bias:
                shape = (self.num_experts, 1, units)
                self.expert_biases.append(
                    self.bias_options.add_bias(self, f"expert_bias_{index}", shape)
                )
            width = units
        self.task_kernel = self.kernel_options.add_kernel(
            self,
            "task_kernel",
            (self.num_tasks, input_width, self.num_experts),
            len(self.expert_units) * self.num_experts,
        )

    def cast_inputs(
        self, inputs: Tensor, shared: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Returns both in the type of the computation, or raises."""
        return cast_with_shared(
            "inputs", inputs, shared, self.compute_dtype, self.task_kernel
        )

    def expert_outputs(
        self,
        inputs: Tensor,
        shared: Tensor | None = None,
        gates: Sequence[Tensor] = (),
    ) -> Tensor:
        """Runs all experts.

        Args:
            inputs: [batch, dim].
            shared: [1, shared_dim], or None.
            gates: [experts, batch or 1, units] for each layer, or none at all.

        Returns:
            [experts, batch, expert_units[-1]].
        """
        x = inputs
        for index, kernel in enumerate(self.expert_kernels):
            bias = self.expert_biases[index] if self.use_bias else None
            x = self.activation(multiply(x, kernel, shared, bias))
            shared = None  # of the first layer's inputs
            if gates:
                x = x * gates[index]
        return x

    def task_weights(self, inputs: Tensor, shared: Tensor | None = None) -> Tensor:
        """[batch, dim], [1, shared_dim] -> [batch, tasks, experts], a softmax."""
        tasks, width, experts = self.task_kernel.shape
        kernel = ops.transpose(self.task_kernel, (1, 0, 2))
        kernel = ops.reshape(kernel, (width, tasks * experts))
        logits = multiply(inputs, kernel, shared)
        return ops.softmax(ops.reshape(logits, (-1, tasks, experts)), axis=-1)

    def mix(self, weights: Tensor, experts: Tensor) -> tuple[Tensor, ...]:
        """Weighs the experts for each task.

        Args:
            weights: [batch, tasks, experts].
            experts: [experts, batch, expert_units[-1]].

        Returns:
            A tuple of `num_tasks` tensors [batch, expert_units[-1]].
        """
        mixtures = ops.matmul(weights, ops.transpose(experts, (1, 0, 2)))
        return tuple(ops.unstack(mixtures, self.num_tasks, axis=1))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "num_experts": self.num_experts,
            "expert_units": self.expert_units,
            "num_tasks": self.num_tasks,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **self.kernel_options.get_config(),
            **self.bias_options.get_config(),
        }
