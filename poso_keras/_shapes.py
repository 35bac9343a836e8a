"""Checks of shapes and arguments, with errors that name what is wrong."""

from collections.abc import Iterable
from typing import Any

from poso_keras._backend import Shape


def check_positive(name: str, value: Any) -> int:
    """Returns a positive whole number, or raises."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {value!r}")
    return int(value)


def check_units(name: str, values: Any) -> tuple[int, ...]:
    """Returns a non-empty tuple of layer widths, or raises."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes):
        raise ValueError(
            f"`{name}` must be a sequence of positive integers. Received: {values!r}"
        )
    units = tuple(check_positive(name, value) for value in values)
    if not units:
        raise ValueError(f"`{name}` must name at least one layer. Received: ()")
    return units


def check_scale(scale: Any) -> float | str:
    """Returns the factor C as a positive float, or "auto", or raises."""
    if scale == "auto":
        return "auto"
    if isinstance(scale, int | float) and not isinstance(scale, bool) and scale > 0:
        return scale
    raise ValueError(
        f'`scale` must be "auto" or a positive number. Received: {scale!r}'
    )


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Returns one of the allowed words, or raises."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {choices}. Received: {value!r}")
    return str(value)


def last_dim(name: str, shape: Shape | None, rank: int | None = None) -> int:
    """Returns the width of a tensor argument whose shape `build` was given.

    Args:
        name: the argument of `call`, for the error.
        shape: its shape, the last dimension known.
        rank: the rank it must have; at least 2 if None.
    """
    if shape is None:
        raise ValueError(
            f"`{name}_shape` is needed to build this layer. Received: None"
        )
    shape = tuple(shape)
    if (rank is None and len(shape) < 2) or (rank is not None and len(shape) != rank):
        wanted = f"rank {rank}" if rank else "rank 2 or more"
        between = {2: "", 3: "seq, "}.get(rank or 0, "..., ")
        raise ValueError(
            f"`{name}` must have {wanted}, [batch, {between}dim]. "
            f"Received: {name}.shape={shape}"
        )
    if shape[-1] is None:
        raise ValueError(
            f"`{name}` must have a known last dimension. Received: {name}.shape={shape}"
        )
    return int(shape[-1])


def check_same_batch(**shapes: Shape | None) -> None:
    """Raises unless the known batch sizes are equal or 1."""
    sizes = {s[0] for s in shapes.values() if s}
    if len(sizes - {None, 1}) > 1:
        received = ", ".join(f"{name}.shape={shape}" for name, shape in shapes.items())
        names = ", ".join(f"`{name}`" for name in shapes)
        raise ValueError(
            f"{names} must have the same batch size, or 1. Received: {received}"
        )


def codes_given(personalization_code: Any, code_rows: Any) -> dict[str, Any]:
    """Returns, by name, the argument of the two that has an entry for each example.

    Args:
        personalization_code: [batch, code_dim], or its shape.
        code_rows: [batch], or its shape; None where each example has a code.
    """
    if code_rows is not None:
        return {"code_rows": code_rows}
    return {"personalization_code": personalization_code}


def broadcast_batch(*shapes: Shape | None) -> int | None:
    """Returns the batch size of the result of broadcasting these tensors."""
    sizes = [shape[0] for shape in shapes if shape is not None]
    return next((size for size in sizes if size != 1), 1)
