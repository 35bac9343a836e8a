"""Impressions out of a file of any format, for a user store."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from preprocessing.checks.rejects import MALFORMED, reject_table
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.sources import open_source
from serving.online.user_store import Observed

if TYPE_CHECKING:
    from serving.online.user_store import UserStore

_LINES = 1000
_NO_OBJECT = "the line is no JSON object"


def observe_file(
    store: UserStore, path: str, config: FeatureConfig
) -> Iterator[Observed]:
    """Gives a file's impressions to a store, some thousand at a time.

    Args:
        store: The store.
        path: `.jsonl` or `.json`, one object a line, `-` for standard input; `.csv`;
            else Parquet, a file or a folder.
        config: The feature configuration.

    Raises:
        SourceError: The file cannot be used.
        OSError: It cannot be read.
        Unavailable: The store does not answer.
    """
    if path == "-":
        yield from _observe_lines(store, sys.stdin.buffer, "standard input")
    elif Path(path).suffix in (".json", ".jsonl"):
        with open(path, "rb") as file:
            yield from _observe_lines(store, file, Path(path).name)
    else:
        yield from _observe_log(store, path, config)


def _observe_log(
    store: UserStore, path: str, config: FeatureConfig
) -> Iterator[Observed]:
    kind = SourceConfig(format="csv" if path.endswith(".csv") else "parquet")
    log = open_source(kind, config, path)
    for part in log.parts():
        for raw in log.read(part):
            yield store.observe(raw.table, part.name, raw.first_row)
            if raw.malformed:
                yield _rejected(raw.malformed, MALFORMED, part.name)


def _observe_lines(store: UserStore, file: IO[bytes], name: str) -> Iterator[Observed]:
    first_row = 0
    while lines := list(islice(file, _LINES)):
        rows, broken = [], []
        for line in filter(None, map(bytes.strip, lines)):
            row = _parsed(line)
            if row is None:
                broken.append(line.decode(errors="backslashreplace"))
            else:
                rows.append(row)
        yield store.observe(rows, name, first_row)
        if broken:
            yield _rejected(broken, _NO_OBJECT, name)
        first_row += len(lines)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _rejected(lines: list[str], reason: str, name: str) -> Observed:
    count = len(lines)
    rows: list[dict[str, Any]] = [{"line": line} for line in lines]
    return Observed(count, 0, reject_table(rows, [reason] * count, [name] * count))
