"""What either generation gives the package, for the type checker alone."""

from typing import Any

from poso_keras._tensors import Shape, Tensor


class Layer:
    """`keras.layers.Layer`, of either generation."""

    name: str
    built: bool
    compute_dtype: str
    dtype_policy: Any
    supports_masking: bool

    def __init__(self, **kwargs: Any) -> None: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    def build(self, *args: Any, **kwargs: Any) -> None: ...

    def add_weight(self, **kwargs: Any) -> Tensor: ...

    def get_config(self) -> dict[str, Any]:
        return {}


class Callback:
    """`keras.callbacks.Callback`, of either generation."""

    model: Any


def build_child(child: Any, *shapes: Shape | None) -> None:
    """Builds a sub-layer from its parent's `build`."""


def matmul_transposed(a: Tensor, b: Tensor) -> Tensor:
    """[..., m, k] x [..., n, k] -> [..., m, n]."""
