"""Where the diagnostics draw: matplotlib is imported when something is drawn."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def new_axes(
    count: int = 1, columns: int = 3, width: float = 4.2, height: float = 2.9
) -> "list[Axes]":
    """Returns the axes of a new figure, row by row.

    Args:
        count: how many.
        columns: how many side by side at most.
        width: of each, in inches.
        height: of each, in inches.

    Raises:
        ImportError: if matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "plots need matplotlib. Fix: pip install 'poso[plot]'"
        ) from error
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(width * columns, height * rows),
        layout="constrained",
        squeeze=False,
    )
    axes: list[Any] = list(grid.flat)
    for spare in axes[count:]:
        figure.delaxes(spare)
    return axes[:count]


def as_axes(ax: "Axes | Sequence[Axes]", count: int) -> "list[Axes]":
    """Returns the axes the caller gave as a list of `count`, or raises."""
    axes: list[Any] = list(ax) if hasattr(ax, "__iter__") else [ax]
    if len(axes) != count:
        raise ValueError(
            f"`ax` must hold one Axes a panel, {count}. Received: {len(axes)}"
        )
    return axes
