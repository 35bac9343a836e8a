"""The personalized multi-layer perceptron, POSO (MLP)."""

from typing import Any

from poso_keras._backend import Shape, Tensor, register
from poso_keras._dense_stack import DenseStack
from poso_keras._gate_options import GateOptions
from poso_keras._inputs import cast_input
from poso_keras._shapes import broadcast_batch, check_scale, codes_given
from poso_keras.poso_dense import POSODense


@register
class POSOMLP(DenseStack):
    """Dense layers, each masked by gates of its own on the same raw code.

    Formula: `x = C g(pc) ⊙ act(W x + b)` for every entry of `units` (Eq. 11).

    Args:
        units: width of each layer.
        activation: activation function of every layer, the last one included.
        dropout: fraction of each layer's outputs dropped in training.
        gate_hidden_units: hidden width of the gates, see `PersonalizationGate`.
        gate_kernel_initializer: initialiser of W1 of each gate.
        gate_output_initializer: initialiser of W2 of each gate.
        scale: the factor C. "auto" is 2.0: the module starts at the scale of `MLP`.
        use_bias: whether to add b.
        kernel_initializer: initialiser of each W.
        bias_initializer: initialiser of each b.
        kernel_regularizer: regulariser of each W.
        bias_regularizer: regulariser of each b.
        kernel_constraint: constraint on each W.
        bias_constraint: constraint on each b.
        **kwargs: `name`, `dtype` and so on, as for every Keras layer.

    Call arguments:
        inputs: [batch, ..., input_dim].
        personalization_code: [batch, code_dim], or [1, code_dim] for one user.
        code_rows: [batch], or None: which row of the code is that of each example, see
            `PersonalizationGate`.

    Returns:
        [batch, ..., units[-1]].

    Examples:
        >>> import numpy as np
        >>> x, code = np.ones((4, 5), "float32"), np.ones((4, 3), "float32")
        >>> tuple(POSOMLP((16, 8))(x, code).shape)
        (4, 8)
    """

    def __init__(
        self,
        units: Any = (256, 128),
        activation: Any = "relu",
        dropout: float = 0.0,
        gate_hidden_units: int | None = None,
        gate_kernel_initializer: Any = "glorot_uniform",
        gate_output_initializer: Any = None,
        scale: float | str = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, dropout, **kwargs)
        self.gate_options = GateOptions(
            gate_hidden_units, gate_kernel_initializer, gate_output_initializer
        )
        self.scale = check_scale(scale)
        self.make_layers()

    def make_layer(self, units: int, index: int, **kwargs: Any) -> Any:
        """Returns a personalized dense layer."""
        gate = self.gate_options.for_child(index)
        return POSODense(units, scale=self.scale, **gate, **kwargs)

    def build(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        code_rows_shape: Shape | None = None,
    ) -> None:
        """Creates the weights for inputs [batch, ..., dim], codes [batch, dim]."""
        self.build_layers(inputs_shape, personalization_code_shape, code_rows_shape)
        super().build(inputs_shape)

    def call(
        self,
        inputs: Tensor,
        personalization_code: Tensor,
        training: bool | None = None,
        code_rows: Tensor | None = None,
    ) -> Tensor:
        """Returns [batch, ..., units[-1]]."""
        code = cast_input(
            "personalization_code", personalization_code, self.compute_dtype, rank=2
        )
        return self.run_layers(
            self.cast_inputs(inputs), code, code_rows, training=training
        )

    def compute_output_shape(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        code_rows_shape: Shape | None = None,
    ) -> Shape:
        """Returns [batch, ..., units[-1]]."""
        codes = codes_given(personalization_code_shape, code_rows_shape)
        batch = broadcast_batch(inputs_shape, *codes.values())
        return (batch, *tuple(inputs_shape)[1:-1], self.units[-1])

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            **self.gate_options.get_config(),
            "scale": self.scale,
        }
