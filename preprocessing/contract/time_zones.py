"""Time zones by their names in the IANA time zone database."""

from __future__ import annotations

import difflib
import functools
import zoneinfo

_NEAREST = 3


def check_time_zone(name: str) -> str:
    """Checks that the time zone database has a zone of this name.

    The database is the system's, or else that of the package `tzdata`.

    Raises:
        ValueError: It has not; the message names the nearest ones.
    """
    known = _known_zones()
    if name in known:
        return name
    if not known:
        raise ValueError(
            "no time zone database: this machine has none, and the package tzdata is "
            f"not installed. Received: '{name}'"
        )
    near = _nearest(name, known)
    means = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(
        "expected a name of the IANA time zone database, such as Asia/Shanghai or "
        "Europe/Berlin (an offset alone is features.utc_offset_hours). "
        f"Received: '{name}'.{means}"
    )


@functools.lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "Factory"}


def _nearest(name: str, known: frozenset[str]) -> list[str]:
    """The names most like it: by their last part, the city, or as a whole."""
    wanted = name.strip().lower().replace(" ", "_")
    by_text: dict[str, list[str]] = {}
    for zone in sorted(known):
        by_text.setdefault(zone.lower(), []).append(zone)
        if "/" in zone:
            by_text.setdefault(zone.lower().rsplit("/", 1)[1], []).append(zone)
    close = [
        *difflib.get_close_matches(wanted, by_text, _NEAREST, cutoff=0.75),
        *difflib.get_close_matches(wanted.rsplit("/", 1)[-1], by_text, 1, cutoff=0.85),
    ]
    zones = [zone for text in close for zone in by_text[text]]
    return list(dict.fromkeys(zones))[:_NEAREST]
