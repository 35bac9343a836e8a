"""The personalized multi-gate mixture of experts, POSO (MMoE)."""

from typing import Any

from poso_keras._backend import Shape, Tensor, build_child, ops, register
from poso_keras._experts import ExpertMixture
from poso_keras._gate_options import GateOptions
from poso_keras._inputs import cast_input, check_batches, static_shape
from poso_keras._shapes import (
    broadcast_batch,
    check_same_batch,
    check_scale,
    codes_given,
    last_dim,
)
from poso_keras._shared_columns import joined_shape


@register
class POSOMMoE(ExpertMixture):
    """Experts masked by personalized gates, then mixed by one softmax gate per task.

    Formula, for task t: `x_t = C sum_i g(pc)_i softmax(W_t x)_i e_i(x)` (Eq. 17, 18).
    The gates g are shared by the tasks, one per expert. With `expert_gates` every
    layer of every expert is a POSO (MLP) as well: `C h(pc) ⊙ act(W x + b)` (Eq. 11),
    with a gate h for each unit.

    Args:
        num_experts: number of experts.
        expert_units: width of each layer of an expert.
        num_tasks: number of tasks.
        activation: activation function of every expert layer, the last one included.
        scale: the factor C. "auto" is 2.0: the module starts at the scale of `MMoE`.
        gate_hidden_units: hidden width of the gates, see `PersonalizationGate`.
        gate_kernel_initializer: initialiser of W1 of each gate.
        gate_output_initializer: initialiser of W2 of each gate.
        expert_gates: whether the experts' layers are masked by gates, too.
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
        expert_code: [batch, code_dim] or [1, code_dim], what the gates of
            `expert_gates` read; the personalization code if None. With `code_rows` it
            has a row for each row of the personalization code.
        code_rows: [batch], or None: which row of both codes is that of each example,
            see `PersonalizationGate`.

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
        gate_kernel_initializer: Any = "glorot_uniform",
        gate_output_initializer: Any = None,
        expert_gates: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_experts, expert_units, num_tasks, activation, **kwargs)
        self.scale = check_scale(scale)
        self.gate_options = GateOptions(
            gate_hidden_units, gate_kernel_initializer, gate_output_initializer
        )
        self.expert_gates = bool(expert_gates)
        factor = 2.0 if scale == "auto" else float(scale)
        self.gate = self.gate_options.make(
            "gate", self.num_experts, factor, self.dtype_policy
        )
        self.layer_gates = [
            self.gate_options.make(
                f"expert_gate_{index}",
                self.num_experts * units,
                2.0,
                self.dtype_policy,
                index + 1,
            )
            for index, units in enumerate(self.expert_units)
            if self.expert_gates
        ]

    def build(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        shared_inputs_shape: Shape | None = None,
        expert_code_shape: Shape | None = None,
        code_rows_shape: Shape | None = None,
    ) -> None:
        """Creates the weights for inputs [batch, dim], codes [batch, code_dim]."""
        code_width = last_dim("personalization_code", personalization_code_shape, 2)
        expert_code_shape = expert_code_shape or personalization_code_shape
        expert_width = last_dim("expert_code", expert_code_shape, 2)
        if code_rows_shape is not None:
            _check_distinct(personalization_code_shape, expert_code_shape)
        check_same_batch(
            inputs=inputs_shape,
            **_codes_given(
                personalization_code_shape, expert_code_shape, code_rows_shape
            ),
        )
        self.build_experts(joined_shape("inputs", inputs_shape, shared_inputs_shape))
        build_child(self.gate, (None, code_width))
        for gate in self.layer_gates:
            build_child(gate, (None, expert_width))
        super().build(inputs_shape)

    def call(
        self,
        inputs: Tensor,
        personalization_code: Tensor,
        shared_inputs: Tensor | None = None,
        expert_code: Tensor | None = None,
        code_rows: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Returns a tuple of `num_tasks` tensors [batch, expert_units[-1]]."""
        given = self.cast_inputs(inputs, shared_inputs)
        code = cast_input(
            "personalization_code", personalization_code, self.compute_dtype, rank=2
        )
        if expert_code is not None:
            expert_code = cast_input(
                "expert_code", expert_code, self.compute_dtype, rank=2
            )
        if code_rows is not None and expert_code is not None:
            _check_distinct(static_shape(code), static_shape(expert_code))
        check_batches(inputs=inputs, **_codes_given(code, expert_code, code_rows))
        expert_gates = ops.expand_dims(self.gate(code, code_rows), 1)
        weights = self.task_weights(*given) * expert_gates
        gates = self._gates_of_layers(
            code if expert_code is None else expert_code, code_rows
        )
        return self.mix(weights, self.expert_outputs(*given, gates=gates))

    def _gates_of_layers(self, code: Tensor, rows: Tensor | None) -> list[Tensor]:
        """Gates [experts, batch, units] of each layer of the experts."""
        stacked = []
        for gate, units in zip(self.layer_gates, self.expert_units, strict=False):
            gates = ops.reshape(gate(code, rows), (-1, self.num_experts, units))
            stacked.append(ops.transpose(gates, (1, 0, 2)))
        return stacked

    def compute_output_shape(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        shared_inputs_shape: Shape | None = None,
        expert_code_shape: Shape | None = None,
        code_rows_shape: Shape | None = None,
    ) -> tuple[Shape, ...]:
        """Returns `num_tasks` times [batch, expert_units[-1]]."""
        codes = _codes_given(
            personalization_code_shape, expert_code_shape, code_rows_shape
        )
        batch = broadcast_batch(inputs_shape, *codes.values())
        return ((batch, self.expert_units[-1]),) * self.num_tasks

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "scale": self.scale,
            **self.gate_options.get_config(),
            "expert_gates": self.expert_gates,
        }


def _codes_given(code: Any, expert_code: Any, rows: Any) -> dict[str, Any]:
    """Returns by name what has an entry for each example: tensors, or their shapes."""
    given = codes_given(code, rows)
    return given if rows is not None else {**given, "expert_code": expert_code}


def _check_distinct(code: Shape | None, expert_code: Shape | None) -> None:
    """Raises where `code_rows` would be rows of different numbers of codes."""
    sizes = [shape[0] for shape in (code, expert_code) if shape]
    if len({size for size in sizes if size is not None}) > 1:
        raise ValueError(
            "with `code_rows`, `personalization_code` and `expert_code` must have as "
            f"many rows as each other. Received: {sizes[0]} and {sizes[1]}"
        )
