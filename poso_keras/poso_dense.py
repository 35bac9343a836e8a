"""A fully connected layer with personalized outputs."""

from typing import Any

from poso_keras._backend import Layer, Shape, Tensor, build_child, keras, ops, register
from poso_keras._gate_options import GateOptions
from poso_keras._inputs import cast_input, check_batches
from poso_keras._shapes import (
    broadcast_batch,
    check_positive,
    check_same_batch,
    check_scale,
    codes_given,
    last_dim,
)
from poso_keras._weights import WeightOptions


@register
class POSODense(Layer):
    """A dense layer whose activations are masked by personalized gates.

    Formula: `y = C g(pc) ⊙ act(W x + b)` (Eq. 11; Eq. 10 where act is the identity).

    Args:
        units: width of the output.
        activation: activation function, applied before the gate. None for linear.
        gate_hidden_units: hidden width of the gate, see `PersonalizationGate`.
        scale: the factor C. "auto" is 2.0: the layer starts at the scale of the plain
            one.
        use_bias: whether to add b.
        kernel_initializer: initialiser of W.
        bias_initializer: initialiser of b.
        kernel_regularizer: regulariser of W.
        bias_regularizer: regulariser of b.
        kernel_constraint: constraint on W.
        bias_constraint: constraint on b.
        gate_kernel_initializer: initialiser of W1 of the gate.
        gate_output_initializer: initialiser of W2 of the gate.
        **kwargs: `name`, `dtype` and so on, as for every Keras layer.

    Call arguments:
        inputs: [batch, ..., input_dim].
        personalization_code: [batch, code_dim], or [1, code_dim] for one user.
        code_rows: [batch], or None: which row of the code is that of each example, see
            `PersonalizationGate`.

    Returns:
        [batch, ..., units].

    Examples:
        >>> import numpy as np
        >>> layer = POSODense(16, activation="relu")
        >>> x, code = np.ones((4, 8), "float32"), np.ones((4, 3), "float32")
        >>> tuple(layer(x, code).shape)
        (4, 16)
    """

    def __init__(
        self,
        units: int,
        activation: Any = None,
        gate_hidden_units: int | None = None,
        scale: float | str = "auto",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        gate_kernel_initializer: Any = "glorot_uniform",
        gate_output_initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True  # a step stays a step
        self.units = check_positive("units", units)
        self.activation = keras.activations.get(activation)
        self.scale = check_scale(scale)
        self.use_bias = bool(use_bias)
        self.kernel_options = WeightOptions(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.bias_options = WeightOptions(
            "bias", bias_initializer, bias_regularizer, bias_constraint
        )
        self.gate_options = GateOptions(
            gate_hidden_units, gate_kernel_initializer, gate_output_initializer
        )
        factor = 2.0 if scale == "auto" else float(scale)
        self.gate = self.gate_options.make(
            "gate", self.units, factor, self.dtype_policy
        )

    def build(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        code_rows_shape: Shape | None = None,
    ) -> None:
        """Creates the weights for inputs [batch, ..., dim], codes [batch, dim]."""
        width = last_dim("inputs", inputs_shape)
        code_width = last_dim("personalization_code", personalization_code_shape, 2)
        codes = codes_given(personalization_code_shape, code_rows_shape)
        check_same_batch(inputs=inputs_shape, **codes)
        self.kernel = self.kernel_options.add_kernel(
            self, "kernel", (width, self.units)
        )
        if self.use_bias:
            self.bias = self.bias_options.add_bias(self, "bias", (self.units,))
        build_child(self.gate, (None, code_width))
        super().build(inputs_shape)

    def call(
        self,
        inputs: Tensor,
        personalization_code: Tensor,
        code_rows: Tensor | None = None,
    ) -> Tensor:
        """Returns [batch, ..., units]."""
        width = int(self.kernel.shape[0])
        inputs = cast_input("inputs", inputs, self.compute_dtype, width)
        outputs = ops.matmul(inputs, self.kernel)
        if self.use_bias:
            outputs = outputs + self.bias
        gates = self.gate(personalization_code, code_rows)
        check_batches(inputs=inputs, **codes_given(personalization_code, code_rows))
        for _ in range(len(outputs.shape) - 2):
            gates = ops.expand_dims(gates, 1)
        return gates * self.activation(outputs)

    def compute_output_shape(
        self,
        inputs_shape: Shape,
        personalization_code_shape: Shape | None = None,
        code_rows_shape: Shape | None = None,
    ) -> Shape:
        """Returns [batch, ..., units]."""
        codes = codes_given(personalization_code_shape, code_rows_shape)
        batch = broadcast_batch(inputs_shape, *codes.values())
        return (batch, *tuple(inputs_shape)[1:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            **self.gate_options.get_config(),
            "scale": self.scale,
            "use_bias": self.use_bias,
            **self.kernel_options.get_config(),
            **self.bias_options.get_config(),
        }
