"""Times contestants turn by turn, so that what disturbs one disturbs all."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Runs a contestant that many times and returns the seconds it took.
Block = Callable[[int], float]


@dataclass(frozen=True)
class Spread:
    """Quartiles of repeated measurements.

    Attributes:
        median: the middle one, which is reported.
        low: the first quartile.
        high: the third quartile.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: npt.ArrayLike) -> Spread:
        """Returns the quartiles of the values."""
        low, median, high = np.percentile(np.asarray(values, float), [25, 50, 75])
        return cls(float(median), float(low), float(high))

    def times(self, factor: float) -> Spread:
        """Returns the quartiles of the values, each multiplied."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Rounds:
    """Seconds per call of each contestant, one entry per round: [rounds] by name."""

    seconds: dict[str, npt.NDArray[np.float64]]

    def time(self, name: str) -> Spread:
        """Seconds a call."""
        return Spread.of(self.seconds[name])

    def ratio(self, numerator: str, denominator: str) -> Spread:
        """Quartiles of the ratios within each round: drift of the machine cancels."""
        return Spread.of(self.seconds[numerator] / self.seconds[denominator])


def calls(function: Callable[[], object]) -> Block:
    """Returns the block that calls a function and takes the time around all calls."""

    def block(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            function()
        return time.perf_counter() - start

    return block


def measure(
    contestants: Mapping[str, Block],
    repeats: int = 30,
    block_s: float = 0.05,
    max_s: float = 60.0,
) -> Rounds:
    """Times contestants in turns, A B, B A, A B, ...

    Args:
        contestants: what to time, by name.
        repeats: number of rounds. Each times one block of every contestant.
        block_s: seconds that a block should take at least; short calls are repeated
            within it.
        max_s: seconds after which no new round begins, but three are always made.
    """
    counts = {name: _warm_up(block, block_s) for name, block in contestants.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    start = time.perf_counter()
    collects = gc.isenabled()
    gc.disable()
    try:
        for done in range(repeats):
            if done >= 3 and time.perf_counter() - start > max_s:
                break
            for name in order:
                seconds[name].append(contestants[name](counts[name]) / counts[name])
            order.reverse()
    finally:
        if collects:
            gc.enable()
    return Rounds({name: np.array(values) for name, values in seconds.items()})


def _warm_up(block: Block, block_s: float) -> int:
    """Calls a contestant for a while; returns how many calls fill a block."""
    block(1)  # traces, allocates
    count, elapsed = 1, block(1)
    while elapsed < block_s and count < 1 << 20:
        count = max(count + 1, int(count * 1.2 * block_s / max(elapsed, 1e-9)))
        elapsed = block(count)
    return count
