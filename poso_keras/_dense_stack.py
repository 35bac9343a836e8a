"""What the plain and the personalized multi-layer perceptron have in common."""

from typing import Any

from poso_keras._backend import Layer, Shape, Tensor, build_child, keras
from poso_keras._inputs import cast_input
from poso_keras._shapes import check_units, last_dim
from poso_keras._weights import WeightOptions


class DenseStack(Layer):
    """A stack of dense layers, each followed by dropout.

    Subclasses say which dense layer (`make_layer`) and document the arguments.
    """

    def __init__(
        self,
        units: Any = (256, 128),
        activation: Any = "relu",
        dropout: float = 0.0,
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
        self.supports_masking = True  # a step stays a step
        self.units = check_units("units", units)
        self.activation = keras.activations.get(activation)
        if isinstance(dropout, str) or not 0.0 <= dropout < 1.0:
            raise ValueError(f"`dropout` must be in [0, 1). Received: {dropout!r}")
        self.dropout = float(dropout)
        self.use_bias = bool(use_bias)
        self.kernel_options = WeightOptions(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.bias_options = WeightOptions(
            "bias", bias_initializer, bias_regularizer, bias_constraint
        )

    def make_layers(self) -> None:
        """Creates the sub-layers; called at the end of the subclass's constructor."""
        self.dense_layers = [
            self.make_layer(
                units,
                index,
                activation=self.activation,
                use_bias=self.use_bias,
                dtype=self.dtype_policy,
                name=f"dense_{index}",
                **self.kernel_options.for_child(index),
                **self.bias_options.for_child(index),
            )
            for index, units in enumerate(self.units)
        ]
        self.dropout_layers = [
            keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)
            for _ in self.units
        ]

    def make_layer(self, units: int, index: int, **kwargs: Any) -> Any:
        """Returns the dense layer of that index; each subclass says of which kind."""
        raise NotImplementedError

    def build_layers(self, inputs_shape: Shape, *code_shapes: Shape | None) -> None:
        """Builds the sub-layers in order."""
        width = last_dim("inputs", inputs_shape)
        leading = tuple(inputs_shape)[:-1]
        for layer in self.dense_layers:
            build_child(layer, (*leading, width), *code_shapes)
            width = layer.units

    def cast_inputs(self, inputs: Any) -> Tensor:
        """Returns the inputs in the type of the computation, or raises."""
        width = int(self.dense_layers[0].kernel.shape[0])
        return cast_input("inputs", inputs, self.compute_dtype, width)

    def run_layers(self, x: Tensor, *code: Tensor | None, training: Any) -> Tensor:
        """Returns the output of the last layer."""
        for dense, dropout in zip(self.dense_layers, self.dropout_layers, strict=True):
            x = dropout(dense(x, *code), training=training)
        return x

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            **self.kernel_options.get_config(),
            **self.bias_options.get_config(),
        }
