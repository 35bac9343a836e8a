"""The plain multi-layer perceptron: the baseline of `POSOMLP`."""

from typing import Any

from poso_keras._backend import KERAS_3, Shape, Tensor, keras, ops, register
from poso_keras._dense_stack import DenseStack
from poso_keras._inputs import is_ragged


@register
class MLP(DenseStack):
    """Dense layers, one after the other: `POSOMLP` without its gates.

    Formula: `x = act(W x + b)` for every entry of `units` (Sec. 4.2).

    Args:
        units: width of each layer.
        activation: activation function of every layer, the last one included.
        dropout: fraction of each layer's outputs dropped in training.
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
        personalization_code: not used; accepted so that the twins can be swapped.

    Returns:
        [batch, ..., units[-1]].

    Examples:
        >>> import numpy as np
        >>> tuple(MLP((16, 8))(np.ones((4, 5), "float32")).shape)
        (4, 8)
    """

    def __init__(
        self,
        units: Any = (256, 128),
        activation: Any = "relu",
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, activation, dropout, **kwargs)
        self.make_layers()

    def make_layer(self, units: int, index: int, **kwargs: Any) -> Any:
        """Returns a plain dense layer."""
        return keras.layers.Dense(units, **kwargs)

    def build(self, inputs_shape: Shape) -> None:
        """Creates the weights for inputs [batch, ..., input_dim]."""
        self.build_layers(inputs_shape)
        super().build(inputs_shape)

    def call(
        self,
        inputs: Tensor,
        personalization_code: Tensor | None = None,
        training: bool | None = None,
    ) -> Tensor:
        """Returns [batch, ..., units[-1]]."""
        if is_ragged(inputs) and not KERAS_3:  # what the layers of tf_keras take
            return self.run_layers(
                ops.cast(inputs, self.compute_dtype), training=training
            )
        return self.run_layers(self.cast_inputs(inputs), training=training)

    def compute_output_shape(
        self, inputs_shape: Shape, personalization_code_shape: Shape | None = None
    ) -> Shape:
        """Returns [batch, ..., units[-1]]."""
        return (*tuple(inputs_shape)[:-1], self.units[-1])
