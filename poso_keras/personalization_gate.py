"""The gate that reads the personalization code."""

from typing import Any

from poso_keras._backend import Layer, Shape, Tensor, build_child, keras, ops, register
from poso_keras._inputs import cast_input, check_rows
from poso_keras._shapes import check_positive, last_dim
from poso_keras._weights import fresh_initializer


@register
class PersonalizationGate(Layer):
    """Turns the personalization code into gates that start about the identity.

    Formula: `g(pc) = scale * sigmoid(W2 relu(W1 pc + b1) + b2)` (Sec. 4 and 4.5).
    `b2` starts at zero and W2 is drawn around it, so that an output starts at
    `scale / 2` on average over draws, but each gate at a place of its own: gates that
    start alike are pushed alike, and would not become modules for different users.
    Codes whose hidden units have a mean square of m give the outputs a second moment
    of about `(scale / 2)^2 (1 + m / 5)`, so it grows by less than 15 % while m is at
    most 2/3. Outputs lie in (0, scale) and are not constrained to any sum.

    Args:
        units: number of gates.
        hidden_units: width of the hidden layer. Defaults to `units`, but at least
            16 and at most 64.
        scale: the rectified factor C. 2.0 starts element-wise gates at 1.
        kernel_initializer: initialiser of W1. The default suits codes with many
            columns of size 1, such as a thermometer; "he_normal" suits narrow ones,
            such as `BucketEncoding` makes by default.
        output_initializer: initialiser of W2. Defaults to a variance of 1 over its
            inputs. With a small one the gates start as the identity, exactly so with
            "zeros".
        kernel_regularizer: regulariser of W1 and W2.
        **kwargs: `name`, `dtype` and so on, as for every Keras layer.

    Call arguments:
        personalization_code: [batch, code_dim], raw features such as the embedded
            bucket of the accumulated view count, never an activation.
        code_rows: [batch] integers, or None. If given, `personalization_code` holds
            only the distinct codes, [codes, code_dim], such as those of buckets, and
            `code_rows[i]` is the row for example i: gates are computed once for each
            code.

    Returns:
        [batch, units].

    Examples:
        >>> import numpy as np
        >>> gate = PersonalizationGate(units=8)
        >>> tuple(gate(np.ones((2, 3), "float32")).shape)
        (2, 8)
    """

    def __init__(
        self,
        units: int,
        hidden_units: int | None = None,
        scale: float = 2.0,
        kernel_initializer: Any = "glorot_uniform",
        output_initializer: Any = None,
        kernel_regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_positive("units", units)
        if hidden_units is not None:
            check_positive("hidden_units", hidden_units)
        self.hidden_units = hidden_units
        if isinstance(scale, str) or not scale > 0:
            raise ValueError(f"`scale` must be a positive number. Received: {scale!r}")
        self.scale = float(scale)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.output_initializer = output_initializer_of(output_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.hidden = keras.layers.Dense(
            hidden_units or min(max(self.units, 16), 64),
            activation="relu",
            kernel_initializer=self.kernel_initializer,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="hidden",
        )
        self.gates = keras.layers.Dense(
            self.units,
            activation="sigmoid",
            kernel_initializer=fresh_initializer(self.output_initializer, 1),
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name="gates",
        )

    def build(self, personalization_code_shape: Shape) -> None:
        """Creates the weights for codes [batch, code_dim]."""
        width = last_dim("personalization_code", personalization_code_shape, rank=2)
        build_child(self.hidden, (None, width))
        build_child(self.gates, (None, self.hidden.units))
        super().build(personalization_code_shape)

    def call(
        self, personalization_code: Tensor, code_rows: Tensor | None = None
    ) -> Tensor:
        """Returns the gates [batch, units]."""
        check_rows(code_rows)
        code = cast_input(
            "personalization_code",
            personalization_code,
            self.compute_dtype,
            int(self.hidden.kernel.shape[0]),
            rank=2,
        )
        gates = self.scale * self.gates(self.hidden(code))
        if code_rows is None:
            return gates
        return ops.take(gates, ops.cast(code_rows, "int32"), axis=0)

    def compute_output_shape(
        self, personalization_code_shape: Shape, code_rows_shape: Shape | None = None
    ) -> Shape:
        """Returns [batch, units]."""
        return ((code_rows_shape or personalization_code_shape)[0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "units": self.units,
            "hidden_units": self.hidden_units,
            "scale": self.scale,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "output_initializer": keras.initializers.serialize(self.output_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def output_initializer_of(given: Any) -> Any:
    """Returns the initialiser of W2; the default is of usual variance."""
    if given is None:
        return keras.initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal")
    return keras.initializers.get(given)
