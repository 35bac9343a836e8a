"""Times as the clocks of a time zone showed them, in UTC."""

from __future__ import annotations

import numpy as np

from preprocessing.arrays.zone_offsets import zone_offsets_ms

_MS_PER_DAY = 86_400_000


def local_to_utc_ms(local_ms: np.ndarray, zone: str) -> np.ndarray:
    """UTC milliseconds of times that a zone's clocks showed.

    Of an hour that clocks show twice it is the first one; a time that they leave out is
    read with the offset before, as Python's `fold=0` has it.

    Args:
        local_ms: What the clocks showed, as milliseconds since 1970, int64 [rows].
        zone: A name of the time zone database, e.g. Europe/Berlin.

    Returns:
        int64 [rows].
    """
    earlier = local_ms - zone_offsets_ms(local_ms - _MS_PER_DAY, zone)
    later = local_ms - zone_offsets_ms(local_ms + _MS_PER_DAY, zone)
    shown_earlier = earlier + zone_offsets_ms(earlier, zone) == local_ms
    shown_later = later + zone_offsets_ms(later, zone) == local_ms
    return np.where(shown_earlier | ~shown_later, earlier, later)
