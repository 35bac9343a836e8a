"""The plain multi-gate mixture of experts: the baseline of `POSOMMoE`."""

from poso_keras._backend import Shape, Tensor, register
from poso_keras._experts import ExpertMixture
from poso_keras._shared_columns import joined_shape


@register
class MMoE(ExpertMixture):
    """Experts shared by the tasks, mixed by one softmax gate per task.

    Formula, for task t: `x_t = sum_i softmax(W_t x)_i e_i(x)` (Eq. 1 and 2), where
    each expert e_i is a multi-layer perceptron.

    Args:
        num_experts: number of experts.
        expert_units: width of each layer of an expert.
        num_tasks: number of tasks.
        activation: activation function of every expert layer, the last one included.
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
        personalization_code: not used; accepted so that the twins can be swapped.
        shared_inputs: [1, shared_dim], or None: leading columns of the inputs that are
            the same in every row, such as the user's; computed with once.
        expert_code: not used, likewise.

    Returns:
        A tuple of `num_tasks` tensors [batch, expert_units[-1]].

    Examples:
        >>> import numpy as np
        >>> layer = MMoE(num_experts=3, expert_units=(16, 8), num_tasks=2)
        >>> [tuple(y.shape) for y in layer(np.ones((4, 5), "float32"))]
        [(4, 8), (4, 8)]

    References:
        - Ma et al., Modeling Task Relationships in Multi-task Learning with
          Multi-gate Mixture-of-Experts, KDD 2018.
    """

    def build(
        self, inputs_shape: Shape, shared_inputs_shape: Shape | None = None
    ) -> None:
        """Creates the weights for inputs [batch, input_dim]."""
        self.build_experts(joined_shape("inputs", inputs_shape, shared_inputs_shape))
        super().build(inputs_shape)

    def call(
        self,
        inputs: Tensor,
        personalization_code: Tensor | None = None,
        shared_inputs: Tensor | None = None,
        expert_code: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Returns a tuple of `num_tasks` tensors [batch, expert_units[-1]]."""
        given = self.cast_inputs(inputs, shared_inputs)
        return self.mix(self.task_weights(*given), self.expert_outputs(*given))

    def compute_output_shape(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        shared_inputs_shape: Shape | None = None,
        expert_code_shape: Shape | None = None,
    ) -> tuple[Shape, ...]:
        """Returns `num_tasks` times [batch, expert_units[-1]]."""
        shape = (inputs_shape[0], self.expert_units[-1])
        return (shape,) * self.num_tasks
