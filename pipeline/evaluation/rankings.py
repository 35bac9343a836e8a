"""The rankings that a run compares, and the differences that its tables show."""

from __future__ import annotations

from collections.abc import Collection, Mapping

MODEL, PLAIN, CONTROL, POPULARITY = "model", "plain", "control", "popularity"
BASELINES = (PLAIN, CONTROL)  # in the order of the tables


def model_title(rankings: Collection[str]) -> str:
    """What the configured model is called: `POSO` beside a baseline without it."""
    return "POSO" if baselines_of(rankings) else MODEL


def baselines_of(rankings: Collection[str]) -> list[str]:
    """The trained models that the configured one is compared with."""
    return [name for name in BASELINES if name in rankings]


def points(gauc: Mapping[str, float | None], baseline: str) -> float | None:
    """GAUC of the model less that of a baseline, in percentage points.

    To `plain` that is all that POSO gains, its further parameters included; to
    `control`, the same gates fed a constant code, what personalization gains.

    Args:
        gauc: GAUC of one task on one slice, by ranking name.
        baseline: `PLAIN` or `CONTROL`.

    Returns:
        The difference; None where one of the two has no GAUC.
    """
    model, other = gauc.get(MODEL), gauc.get(baseline)
    return None if model is None or other is None else 100 * (model - other)
