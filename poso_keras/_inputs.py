"""Checks of what `call` is given: at every call, where `build` sees the first alone."""

from typing import Any

from poso_keras._backend import KERAS_3, Shape, Tensor, ops
from poso_keras._shapes import check_same_batch, last_dim

_OTHER_KERAS = "tf_keras" if KERAS_3 else "keras"
_IN_ONE_KERAS = (
    "poso_keras runs on Keras 3: build the model with `keras`, or set "
    "TF_USE_LEGACY_KERAS=1 before the first import"
    if KERAS_3
    else "TF_USE_LEGACY_KERAS is set, so poso_keras runs on tf_keras: unset it before "
    "the first import, or build the model with `tf_keras`"
)


def cast_input(
    name: str,
    value: Any,
    dtype: str,
    width: int | None = None,
    rank: int | None = None,
) -> Tensor:
    """Returns a tensor argument of `call` in the type of the computation.

    Args:
        name: the argument, for errors.
        value: what was given: a tensor or array of numbers or booleans.
        dtype: the type of the computation.
        width: the last dimension it must have, that which the layer was built for.
        rank: the rank it must have; at least 2 if None.

    Raises:
        ValueError: it is something else, or has another shape.
    """
    check_is_dense(name, value)
    shape = static_shape(value)
    if shape is not None and None not in shape[-1:]:
        received = last_dim(name, shape, rank)
        if width is not None and received != width:
            raise ValueError(
                f"`{name}` must have the {width} columns that the layer was built "
                f"with. Received: {name}.shape={shape}"
            )
    return ops.cast(value, dtype)


def check_batches(**tensors: Any) -> None:
    """Raises unless the known batch sizes of these arguments are equal or 1.

    What is called `code_rows` must be what `check_rows` takes.
    """
    check_rows(tensors.get("code_rows"))
    shapes = {
        name: static_shape(tensor)
        for name, tensor in tensors.items()
        if tensor is not None
    }
    check_same_batch(**{name: shape for name, shape in shapes.items() if shape})


def check_rows(rows: Any) -> None:
    """Checks the argument `code_rows` of `call`.

    Args:
        rows: [batch] of whole numbers, or None.

    Raises:
        ValueError: it is something else.
    """
    if rows is None:
        return
    check_is_dense("code_rows", rows)
    shape = static_shape(rows)
    if shape is not None and len(shape) != 1:
        raise ValueError(f"`code_rows` must be [batch]. Received: shape {shape}")
    dtype = _dtype_name(rows)
    if "int" not in dtype:
        raise ValueError(
            f"`code_rows` must hold whole numbers. Received: dtype {dtype}"
        )


def check_is_dense(name: str, value: Any) -> None:
    """Raises for what is no tensor or array, is ragged or sparse, or holds text.

    An input of the other Keras, too: its model would not train the layer's weights.

    Raises:
        ValueError: naming the argument and what was received.
    """
    kind, module = type(value).__name__, type(value).__module__
    if module.split(".")[0] == _OTHER_KERAS:
        raise ValueError(f"`{name}`: {_IN_ONE_KERAS}. Received: {kind} of {module}")
    if is_ragged(value):
        raise ValueError(
            f"`{name}` must be dense. Pad it by `{name}.to_tensor()`. Received: {kind}"
        )
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        raise ValueError(f"`{name}` must be a tensor or array. Received: {kind}")
    if hasattr(value, "dense_shape"):
        raise ValueError(f"`{name}` must be dense. Received: {kind}")
    dtype = _dtype_name(value)
    if dtype.startswith(("str", "bytes", "object")):
        raise ValueError(f"`{name}` must hold numbers. Received: dtype {dtype}")


def _dtype_name(tensor: Any) -> str:
    """The name of its type on every backend; PyTorch's `torch.float32` is `float32`."""
    dtype = tensor.dtype
    return getattr(dtype, "name", str(dtype).removeprefix("torch."))


def is_ragged(value: Any) -> bool:
    """Whether rows may have lengths of their own, as TensorFlow's RaggedTensor."""
    return hasattr(value, "row_lengths")


def static_shape(tensor: Any) -> Shape | None:
    """Returns the sizes that are known before the model runs; None for no rank.

    A size that an export leaves open is None or a symbol, which is no int.
    """
    if getattr(tensor.shape, "rank", 0) is None:  # TensorFlow's
        return None
    return tuple(
        int(size) if isinstance(size, int) else None for size in tuple(tensor.shape)
    )
