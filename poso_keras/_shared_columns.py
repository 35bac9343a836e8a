"""Products with inputs of which some columns are the same in every row.

One user and many candidates: `[user, candidate] W = user W_user + candidate W_cand`,
so the user's share is computed once, whatever the number of candidates.
"""

from poso_keras._backend import Shape, Tensor, ops
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
    if shared_shape[0] != 1:
        raise ValueError(
            f"`shared_{name}` must have one row, which all rows of `{name}` share. "
            f"Received: shared_{name}.shape={tuple(shared_shape)}"
        )
    return batch, last_dim(f"shared_{name}", shared_shape, rank=2) + width
