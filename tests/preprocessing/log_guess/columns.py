"""Profiles of small columns."""

import pyarrow as pa

from preprocessing.log_guess.profiles import ColumnProfile, profile_columns


def profiles(**columns) -> list[ColumnProfile]:
    """Profiles of named columns."""
    return profile_columns(pa.table(columns), True)


def by_name(**columns) -> dict[str, ColumnProfile]:
    """The same, by name."""
    return {profile.name: profile for profile in profiles(**columns)}
