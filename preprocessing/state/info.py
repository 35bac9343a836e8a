"""What a state was made of, as `state.json` describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from preprocessing.arrays.days import Calendar, time_text
from preprocessing.contract.config import FeatureConfig
from preprocessing.state.schema import StateError

_FORMAT = 1
_OFFSET_KEY, _ZONE_KEY = "utc_offset_hours", "time_zone"
_RATES_KEY = "rates"
# Attribute -> key in `state.json`, in the file's order.
_KEYS = {
    "watermark_ms": "through_ms",
    "calendar": _OFFSET_KEY,  # or `_ZONE_KEY`
    "history_of": "history_of",
    "history_length": "history_length",
    "format": "format",
}


@dataclass(frozen=True)
class StateInfo:
    """What a state was made of.

    Attributes:
        watermark_ms: Time of its latest impression, UTC; -1 without one. A log that
            starts from the state may hold later impressions only. The file's key is
            `through_ms`.
        calendar: Where its days begin: a time zone's name, or local time less UTC in
            hours. The file's key is `time_zone` or `utc_offset_hours`.
        history_of: Which impressions it lists: "impressions" or "long_views".
        history_length: How many of them it lists per user, at most.
        format: Version of the files' layout.
        rates: What it counts for rates (`rate_settings`); None if it counts nothing.
    """

    watermark_ms: int
    calendar: Calendar
    history_of: str
    history_length: int
    format: int = _FORMAT
    rates: Mapping[str, Any] | None = None

    @property
    def watermark(self) -> str:
        """`watermark_ms` as an ISO time in UTC."""
        return time_text(self.watermark_ms)

    def check(self, config: FeatureConfig) -> None:
        """Checks that a run may start from this state.

        Raises:
            StateError: Its days begin elsewhere, or it lists only long views and the
                run's histories hold all impressions.
        """
        if self.calendar != config.calendar:
            raise StateError(
                f"the state's days were counted with {_described(self.calendar)}. "
                f"Received: {_described(config.calendar)}"
            )
        if self.history_of == "long_views" and config.history_of != "long_views":
            raise StateError(
                "the state lists long views alone, so it cannot continue with "
                f"features.history_of '{config.history_of}'. Make a new one from the "
                "log, or set features.history_of=long_views"
            )
        lacking = _lacking(self.rates, rate_settings(config))
        if lacking:
            raise StateError(
                f"the state does not count what features.rates needs: {lacking}. Make "
                "a new one from the log, or set features.rates as it was"
            )

    def notes(self, config: FeatureConfig) -> list[str]:
        """What a user should know about a run that starts from this state."""
        if config.history_length <= self.history_length:
            return []
        return [
            f"the state lists a user's last {self.history_length} impressions; "
            f"histories grow to features.history_length {config.history_length} only "
            "with new ones"
        ]

    def to_values(self) -> dict[str, Any]:
        """The description as `state.json` holds it."""
        keys = {**_KEYS, "calendar": _calendar_key(self.calendar)}
        values = {key: getattr(self, name) for name, key in keys.items()}
        return values if self.rates is None else {**values, _RATES_KEY: self.rates}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> StateInfo:
        """Reads what `to_values` gave.

        Raises:
            KeyError, TypeError, ValueError: It is no description of a state.
            StateError: It is one of a later release.
        """
        named = {"calendar": _ZONE_KEY} if _ZONE_KEY in values else {}
        keys = {**_KEYS, **named}
        settings = {name: values[key] for name, key in keys.items()}
        info = cls(**settings, rates=values.get(_RATES_KEY))
        if type(info.watermark_ms) is not int:
            raise ValueError(f"through_ms is {info.watermark_ms!r}")
        if info.format != _FORMAT:
            raise StateError(
                f"expected a state of format {_FORMAT}. Received: {info.format}"
            )
        return info


def rate_settings(config: FeatureConfig) -> dict[str, Any] | None:
    """What the counts of a state depend on; None where nothing is counted.

    The rules of the labels that are counted, and the half-life of each subject. The
    clock is not among them: a state serves both.
    """
    if config.rates is None:
        return None
    labels = config.model_dump(mode="json", include={"labels"})["labels"]
    return {
        "labels": {name: labels[name] for name in config.rate_labels},
        "half_life_days": {s.name: s.half_life_days for s in config.rate_subjects},
    }


def _lacking(found: Mapping[str, Any] | None, needed: Mapping[str, Any] | None) -> str:
    """What a state does not count as it is needed; "" if there is nothing."""
    if needed is None:
        return ""
    if found is None:
        return "it has no counts at all"
    return "; ".join(
        f"{kind} {name}: {values[name]}, not {found[kind].get(name, 'counted')}"
        for kind, values in needed.items()
        for name in values
        if name not in found[kind] or found[kind][name] != values[name]
    )


def _calendar_key(calendar: Calendar) -> str:
    return _ZONE_KEY if isinstance(calendar, str) else _OFFSET_KEY


def _described(calendar: Calendar) -> str:
    value = calendar if isinstance(calendar, str) else f"{calendar:g}"
    return f"features.{_calendar_key(calendar)} {value}"
