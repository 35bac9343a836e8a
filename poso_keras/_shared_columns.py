"""Products with inputs of which some columns are the same in every row.

One user and many candidates: `[user, candidate] W = user W_user + candidate W_cand`,
so the user's share is computed once, whatever the number of candidates.
"""

from typing import Any

from poso_keras._backend import Shape, Tensor, ops
from poso_keras._inputs import cast_input, static_shape
from poso_keras._shapes import last_dim


def multiply(
    inputs: Tensor,
    kernel: Tensor,
    shared: Tensor | None = None,
    bias: Tensor | None = None,
) -> Tensor:
    """Returns `[shared, inputs] kernel + bias`.

    Args:
        inputs: [batch, dim].
        kernel: [..., shared_dim + dim, units].
        shared: [1, shared_dim], what the rows have in common, or None.
        bias: broadcast against the product, or None.
    """
    if shared is None:
        product = ops.matmul(inputs, kernel)
        return product if bias is None else product + bias
    width = shared.shape[-1]
    constant = ops.matmul(shared, kernel[..., :width, :])
    if bias is not None:
        constant = constant + bias
    return ops.matmul(inputs, kernel[..., width:, :]) + constant


def cast_with_shared(
    name: str, value: Any, shared: Any, dtype: str, kernel: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Returns an argument of `call` and the columns that its rows share, both cast.

    Args:
        name: the argument of `call`, for errors.
        value: [batch, dim].
        shared: [1, shared_dim], or None.
        dtype: the type of the computation.
        kernel: [..., shared_dim + dim, units].

    Raises:
        ValueError: a shape does not fit the kernel, or the shared one has several rows.
    """
    width = int(kernel.shape[-2])
    if shared is None:
        return cast_input(name, value, dtype, width, rank=2), None
    shared = cast_input(f"shared_{name}", shared, dtype, rank=2)
    shape = static_shape(shared)
    if shape is not None:
        check_one_row(name, shape)
    width -= int(shared.shape[-1])
    return cast_input(name, value, dtype, width, rank=2), shared


def joined_shape(
    name: str, shape: Shape | None, shared_shape: Shape | None
) -> tuple[int | None, int]:
    """Returns [batch, shared_dim + dim].

    Args:
        name: the argument of `call` that `shape` belongs to, for errors.
        shape: [batch, dim].
        shared_shape: [1, shared_dim], or None.

    Raises:
        ValueError: a shape is no [batch, dim], or the shared one has several rows.
    """
    width = last_dim(name, shape, rank=2)
    batch = None if shape is None else shape[0]
    if shared_shape is None:
        return batch, width
    check_one_row(name, shared_shape)
    return batch, last_dim(f"shared_{name}", shared_shape, rank=2) + width


def check_one_row(name: str, shared_shape: Shape) -> None:
    """Raises unless the columns that all rows share are one row."""
    if tuple(shared_shape)[:1] != (1,):
        raise ValueError(
            f"`shared_{name}` must have one row, which all rows of `{name}` share. "
            f"Received: shared_{name}.shape={tuple(shared_shape)}"
        )
