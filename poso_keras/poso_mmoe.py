"""The personalized multi-gate mixture of experts, POSO (MMoE)."""

from typing import Any

from poso_keras._backend import Shape, Tensor, build_child, ops, register
from poso_keras._experts import ExpertMixture
from poso_keras._inputs import cast_input, check_batches
from poso_keras._shapes import (
    broadcast_batch,
    check_same_batch,
    check_scale,
    last_dim,
)
from poso_keras._shared_columns import joined_shape
from poso_keras.personalization_gate import PersonalizationGate


@register
class POSOMMoE(ExpertMixture):
    """Experts masked by personalized gates, then mixed by one softmax gate per task.

    Formula, for task t: `x_t = C sum_i g(pc)_i softmax(W_t x)_i e_i(x)` (Eq. 17, 18).
    The gates g are shared by the tasks, one per expert.

    Args:
        num_experts: number of experts.
        expert_units: width of each layer of an expert.
        num_tasks: number of tasks.
        activation: activation function of every expert layer, the last one included.
        scale: the factor C. "auto" is 2.0: the module starts as the plain `MMoE`.
        gate_hidden_units: hidden width of the gate, see `PersonalizationGate`.
        use_bias: whether the experts' layers have a bias; the task gates have none.
        kernel_initializer: initialiser of each expert's kernels and of each W_t.
        bias_initializer: initialiser of the experts' biases.
        kernel_regularizer: regulariser of each stacked kernel [num_experts, in, out]
            and of the task kernel [num_tasks, input_dim, num_experts].
        bias_regularizer: regulariser of the stacked biases [num_experts, 1, units].
        kernel_constraint: constraint on the same kernels.
        bias_constraint: constraint on the same biases.
        **kwargs: `name`, `dtype` and so on, as for every Keras layer.

    Call arguments:
        inputs: [batch, input_dim].
        personalization_code: [batch, code_dim], or [1, code_dim] for one user.
        shared_inputs: [1, shared_dim], or None: leading columns of the inputs that are
            the same in every row, such as the user's; computed with once.

    Returns:
        A tuple of `num_tasks` tensors [batch, expert_units[-1]].

    Examples:
        >>> import numpy as np
        >>> layer = POSOMMoE(num_experts=3, expert_units=(16, 8), num_tasks=2)
        >>> x, code = np.ones((4, 5), "float32"), np.ones((4, 3), "float32")
        >>> [tuple(y.shape) for y in layer(x, code)]
        [(4, 8), (4, 8)]
    """

    def __init__(
        self,
        num_experts: int,
        expert_units: Any = (256, 128),
        num_tasks: int = 1,
        activation: Any = "relu",
        scale: float | str = "auto",
        gate_hidden_units: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_experts, expert_units, num_tasks, activation, **kwargs)
        self.scale = check_scale(scale)
        self.gate_hidden_units = gate_hidden_units
        self.gate = PersonalizationGate(
            self.num_experts,
            gate_hidden_units,
            2.0 if scale == "auto" else float(scale),
            dtype=self.dtype_policy,
            name="gate",
        )

    def build(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        shared_inputs_shape: Shape | None = None,
    ) -> None:
        """Creates the weights for inputs [batch, dim], codes [batch, code_dim]."""
        code_width = last_dim("personalization_code", personalization_code_shape, 2)
        check_same_batch(
            inputs=inputs_shape, personalization_code=personalization_code_shape
        )
        self.build_experts(joined_shape("inputs", inputs_shape, shared_inputs_shape))
        build_child(self.gate, (None, code_width))
        super().build(inputs_shape)

    def call(
        self,
        inputs: Tensor,
        personalization_code: Tensor,
        shared_inputs: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Returns a tuple of `num_tasks` tensors [batch, expert_units[-1]]."""
        given = self.cast_inputs(inputs, shared_inputs)
        code = cast_input(
            "personalization_code", personalization_code, self.compute_dtype, rank=2
        )
        check_batches(inputs=inputs, personalization_code=code)
        weights = self.task_weights(*given) * ops.expand_dims(self.gate(code), 1)
        return self.mix(weights, self.expert_outputs(*given))

    def compute_output_shape(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        shared_inputs_shape: Shape | None = None,
    ) -> tuple[Shape, ...]:
        """Returns `num_tasks` times [batch, expert_units[-1]]."""
        batch = broadcast_batch(inputs_shape, personalization_code_shape)
        return ((batch, self.expert_units[-1]),) * self.num_tasks

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "scale": self.scale,
            "gate_hidden_units": self.gate_hidden_units,
        }
