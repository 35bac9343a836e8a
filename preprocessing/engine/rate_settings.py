"""What the settings of rates come to, whatever of them was written down."""

from __future__ import annotations

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.rates import Subject

_ABSENT = "none"


def rate_differences(made: FeatureConfig, wanted: FeatureConfig) -> list[str]:
    """Where rates differ, such as `features.rates.strength 5.0, not 20.0`.

    A default that is written out is the default; the order of subjects and labels does
    not matter.

    Args:
        made: The settings that rates were computed by.
        wanted: Those that they are compared with.
    """
    one, other = _resolved(made), _resolved(wanted)
    if made.rates is None or wanted.rates is None:
        one, other = ({"": settings[""]} for settings in (one, other))
    return [
        f"features.rates{name} {one.get(name, _ABSENT)}, not {other.get(name, _ABSENT)}"
        for name in dict.fromkeys((*one, *other))
        if one.get(name, _ABSENT) != other.get(name, _ABSENT)
    ]


def _resolved(config: FeatureConfig) -> dict[str, str]:
    """Each setting in force, by its place below `features.rates`."""
    rates = config.rates
    if rates is None:
        return {"": _ABSENT}
    return {
        "": "some",
        ".labels": ", ".join(sorted(config.rate_labels)),
        ".strength": str(rates.strength),
        ".prior": str(rates.prior),
        **{f".subjects.{s.name}": _counted(s) for s in config.rate_subjects},
    }


def _counted(subject: Subject) -> str:
    half_life = subject.half_life_days
    half = "" if half_life is None else f", half_life_days {half_life}"
    return f"clock {subject.clock}{half}"
