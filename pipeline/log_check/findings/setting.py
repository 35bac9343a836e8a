"""Settings that answer a finding, as they would stand in the configuration."""

from __future__ import annotations

from pipeline.config import RunConfig


def column_setting(config: RunConfig, name: str, reading: str) -> str:
    """How a column of the contract would be read in another way.

    Args:
        config: Says which column of the log it is.
        name: The contract's name.
        reading: What to add, such as `unit: s`.
    """
    column = column_of(config, name)
    return f"source.columns: {{{name}: {{column: {column}, {reading}}}}}"


def column_of(config: RunConfig, name: str) -> str:
    """The log's column that one of the contract's is read from."""
    made = config.source.columns.get(name)
    return made.column if made is not None and made.column else name
