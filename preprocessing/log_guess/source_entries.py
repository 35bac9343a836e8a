"""The section `source` that reads files of a layout."""

from __future__ import annotations

from typing import Any

from preprocessing.log_guess.log_sample import LogSample
from preprocessing.log_guess.named_sample import NamedSample
from preprocessing.sources.file_patterns import PATTERNS


def source_entries(
    sample: LogSample, named: NamedSample, list_separator: str
) -> dict[str, Any]:
    """Entries that differ from the defaults, in the order of the documentation.

    Args:
        sample: Says how the files are written.
        named: Says what its columns are called.
        list_separator: What stands between tags; "" for the default.
    """
    layout = sample.layout
    kind = layout.content.format
    entries: dict[str, Any] = {"format": kind}
    if layout.patterns != (PATTERNS[kind],):
        entries["files"] = list(layout.patterns)
    if layout.text is not None:
        if layout.text.delimiter != ",":
            entries["delimiter"] = layout.text.delimiter
        if named.header:
            entries["header"] = list(named.header)
        if not layout.text.quoting:
            entries["quoting"] = False
    if list_separator not in ("", ","):
        entries["list_separator"] = list_separator
    if named.exploded:
        entries["explode"] = dict(named.exploded)
    return entries
