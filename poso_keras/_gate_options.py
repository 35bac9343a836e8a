"""What a layer was told about its gates, and how to make them."""

from typing import Any

from poso_keras._backend import keras
from poso_keras._shapes import check_positive
from poso_keras._weights import fresh_initializer
from poso_keras.personalization_gate import PersonalizationGate, output_initializer_of


class GateOptions:
    """The arguments `gate_...` of a layer; each of its gates draws its own weights.

    Args:
        hidden_units: width of the hidden layer, or None, see `PersonalizationGate`.
        kernel_initializer: initialiser of W1.
        output_initializer: initialiser of W2, or None.
    """

    def __init__(
        self, hidden_units: int | None, kernel_initializer: Any, output_initializer: Any
    ) -> None:
        if hidden_units is not None:
            check_positive("gate_hidden_units", hidden_units)
        self.hidden_units = hidden_units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.output_initializer = output_initializer_of(output_initializer)

    def make(
        self, name: str, units: int, scale: float, dtype: Any, index: int = 0
    ) -> PersonalizationGate:
        """Returns a gate.

        Args:
            name: its name.
            units: number of its outputs.
            scale: the factor C.
            dtype: the layer's policy.
            index: how many gates of the layer were made before.
        """
        seeds_used = 2 * index  # a gate has two kernels
        return PersonalizationGate(
            units,
            self.hidden_units,
            scale,
            kernel_initializer=fresh_initializer(self.kernel_initializer, seeds_used),
            output_initializer=fresh_initializer(self.output_initializer, seeds_used),
            dtype=dtype,
            name=name,
        )

    def for_child(self, index: int) -> dict[str, Any]:
        """Returns the same arguments for the sub-layer of that index, with one gate."""
        return {
            "gate_hidden_units": self.hidden_units,
            "gate_kernel_initializer": fresh_initializer(
                self.kernel_initializer, 2 * index
            ),
            "gate_output_initializer": fresh_initializer(
                self.output_initializer, 2 * index
            ),
        }

    def get_config(self) -> dict[str, Any]:
        """Returns the layer arguments these came from, serialised."""
        serialize = keras.initializers.serialize
        return {
            "gate_hidden_units": self.hidden_units,
            "gate_kernel_initializer": serialize(self.kernel_initializer),
            "gate_output_initializer": serialize(self.output_initializer),
        }
