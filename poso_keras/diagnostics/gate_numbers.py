"""Three numbers on a gate: how far it moved, and how it tells codes and units apart."""

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np

_Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class GateNumbers:
    """What training has made of one gate, in shares of its scale C.

    Let s[c, u] in (0, 1) be the output over C for code c and unit u, and s0[c, u] the
    same when training began: what was recorded then, else 1/2.

    Attributes:
        moved: how far the gate is from its start, the mean over c and u of |s - s0|.
        between_codes: how much it differs between codes: the standard deviation over c,
            averaged over u. 0 where the gate does not hear the code.
        between_units: how much its units (the modules or experts that it mixes, or the
            units of a layer) differ in what they make of the code: each unit's mean
            over c is taken off, and the standard deviation over u is averaged over c.
            0 where all units move in step, and where the gate does not hear the code.
    """

    moved: float
    between_codes: float
    between_units: float

    def to_dict(self) -> dict[str, float]:
        """Returns the numbers by name, fit for JSON."""
        return asdict(self)


def gate_numbers(
    outputs: _Array, scale: float, start: _Array | None = None
) -> GateNumbers:
    """Computes the numbers of one gate.

    Args:
        outputs: of the gate [codes, units].
        scale: its factor C.
        start: its outputs for the same codes when training began; C / 2 if None.

    Raises:
        ValueError: if `start` has another shape.
    """
    if start is not None and start.shape != outputs.shape:
        raise ValueError(
            "a gate's start must be for the same codes and units, "
            f"{outputs.shape}. Received: {start.shape}"
        )
    share = outputs.astype("float64") / scale
    begun = 0.5 if start is None else start.astype("float64") / scale
    response = share - share.mean(axis=0)
    return GateNumbers(
        moved=float(np.abs(share - begun).mean()),
        between_codes=float(share.std(axis=0).mean()),
        between_units=float(response.std(axis=1).mean()),
    )
