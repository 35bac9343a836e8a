"""The settings that a feature table was made with, noted beside it as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.rate_settings import rate_differences

SETTINGS_KEY = "features"  # of the JSON that notes them
# These decide how a table is made and what is rejected, not what a row holds.
_OF_THE_RUN = ("shards", "max_reject_rate", "last_day")
_CALENDAR = ("time_zone", "utc_offset_hours")
_RATES = "rates"  # compared as they are in force


class SettingsError(ValueError):
    """Features that were made with other settings; the message names them."""


def noted_settings(config: FeatureConfig) -> dict[str, Any]:
    """The settings that decide a table's columns and values."""
    return config.model_dump(mode="json", exclude=set(_OF_THE_RUN))


def check_settings(noted: Any, config: FeatureConfig, place: str) -> None:
    """Checks that features were made with a run's settings.

    Args:
        noted: By `noted_settings`.
        config: Of the run that takes them.
        place: Where they are, for the message.

    Raises:
        SettingsError: A setting differs, or the note is of another release.
    """
    try:
        made = FeatureConfig.model_validate(noted)
    except ValidationError as error:
        raise SettingsError(
            f"{place} notes settings that are not known: was it made by another "
            f"release? {error.error_count()} problems, such as {error.errors()[0]}"
        ) from error
    differing = [
        f"features.{name} {_shown(made, name)}, not {_shown(config, name)}"
        for name in FeatureConfig.model_fields
        if name not in (*_OF_THE_RUN, *_CALENDAR, _RATES)
        and getattr(made, name) != getattr(config, name)
    ]
    differing += rate_differences(made, config)
    if made.calendar != config.calendar:
        differing.append(f"days by {made.calendar}, not {config.calendar}")
    if differing:
        raise SettingsError(
            f"{place} was made with {'; '.join(differing)}. Take its settings, or make "
            "it anew from the log"
        )


def _shown(config: FeatureConfig, name: str) -> str:
    values = config.model_dump(mode="json", include={name}, exclude_defaults=True)
    return f"{values.get(name, 'by default')}"
