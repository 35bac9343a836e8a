"""Play times and lengths in another unit than milliseconds."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding
from pipeline.log_check.findings.setting import column_setting
from pipeline.log_check.numbers.gathered import Numbers
from preprocessing.arrays.days import MS_PER_DAY
from preprocessing.contract.column_names import DURATION, PLAY_TIME

# Middle quotient of play time and length that no audience reaches with equal units.
_HIGH, _LOW = 30.0, 0.005
_SHORTEST_MS = 500.0  # that a middle video, or watching it, takes


def units(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """What play times and lengths speak against."""
    watching = numbers.watching
    quotient = watching.quotient
    if quotient is not None and not _LOW <= quotient <= _HIGH:
        small, large = (DURATION, PLAY_TIME) if quotient > 1 else (PLAY_TIME, DURATION)
        yield Finding(
            "look",
            "units",
            f"A video is typically watched {_factor(quotient)} its length "
            f"(middle play time {watching.play_time_ms:,.0f} ms, middle length "
            f"{watching.video_duration_ms:,.0f} ms).",
            "The two seem to be in different units; labels by watching would be all 1 "
            "or all 0.",
            f"If {small} is in seconds: {column_setting(config, small, 'unit: s')}; if "
            f"{large} is in microseconds, unit: us for that.",
        )
        return
    for name, middle in (
        (PLAY_TIME, watching.play_time_ms),
        (DURATION, watching.video_duration_ms),
    ):
        if middle is None or _SHORTEST_MS <= middle <= MS_PER_DAY:
            continue
        unit = "s" if middle < _SHORTEST_MS else "us"
        yield Finding(
            "look",
            "units",
            f"The middle {name} is {middle:,.0f} ms.",
            "That is no time that people watch: it seems to be in "
            f"{'seconds' if unit == 's' else 'microseconds'}, and would be compared "
            "with times in milliseconds.",
            column_setting(config, name, f"unit: {unit}"),
        )


def _factor(quotient: float) -> str:
    if quotient > 1:
        return f"{quotient:,.0f} times"
    return f"for a {1 / quotient:,.0f}th of"
