"""How a gate's outputs over the codes are drawn: lines, or a map of colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_Array: TypeAlias = np.ndarray[Any, Any]
MOST_LINES = 8


def draw_lines(axis: Axes, matrix: _Array, scale: float | None) -> None:
    """Draws each unit's outputs, and a dotted line at half the scale."""
    for unit, outputs in enumerate(matrix.T, start=1):
        axis.plot(range(len(outputs)), outputs, label=f"#{unit}", lw=1.8)
    if scale is not None:
        axis.axhline(scale / 2, color="0.5", ls=":", lw=1)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("gate output")
    axis.grid(axis="y", color="0.9")
    axis.set_axisbelow(True)
    axis.legend(fontsize=7, ncols=min(4, matrix.shape[1]), frameon=False)
    axis.spines[["top", "right"]].set_visible(False)


def draw_map(axis: Axes, matrix: _Array, scale: float | None) -> None:
    """Draws codes by units; white is half the scale."""
    image = axis.imshow(
        matrix.T,
        aspect="auto",
        interpolation="nearest",
        cmap="viridis" if scale is None else "RdBu_r",
        vmin=0,
        vmax=scale,
    )
    axis.set_ylabel("unit")
    axis.figure.colorbar(image, ax=axis, label="gate output")


def label_codes(axis: Axes, number: int, labels: Sequence[Any] | None) -> None:
    """Writes a label below every sixth of the codes, their numbers by default."""
    if labels is not None and len(labels) != number:
        raise ValueError(
            f"`labels` must have one entry a code, {number}. Received: {len(labels)}"
        )
    step = -(-number // 6)
    places = range(0, number, step)
    texts = [str(place if labels is None else labels[place]) for place in places]
    axis.set_xticks(places, texts, fontsize=8)
