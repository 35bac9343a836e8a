"""Gives the impressions in a file to a user store, whatever its format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

from preprocessing.checks.rejects import MALFORMED, UNCLOSED, reject_table
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import OF_CSV, OF_DELTA, SourceConfig
from preprocessing.sources import open_source
from serving.online.user_store import ObserveResult, UserStore

_LINES = 1000
_KINDS = {".csv": "csv", ".avro": "avro", ".orc": "orc"}
_NO_OBJECT = "the line is no JSON object"


def observe_file(
    store: UserStore,
    path: str,
    config: FeatureConfig,
    source: SourceConfig | None = None,
) -> Iterator[ObserveResult]:
    """Gives a file's impressions to a store, some thousand at a time.

    Args:
        store: The store.
        path: A `.jsonl` or `.json` file with one object per line, a `.csv`, `.avro` or
            `.orc` file, or else a Parquet file or a folder of them.
        config: The feature configuration.
        source: How logs of this configuration are written: which cells hold no value,
            and where columns come from. JSON lines have the contract's names.

    Yields:
        The result of each part. A line that cannot be read is a reject.

    Raises:
        SourceError: The file cannot be used.
        OSError: It cannot be read.
        Unavailable: The store does not answer.
    """
    if Path(path).suffix.lower() in (".json", ".jsonl"):
        with open(path, "rb") as file:
            yield from observe_lines(store, file, Path(path).name)
    else:
        yield from _observe_log(store, path, config, _written_like(source, path))


def observe_lines(
    store: UserStore, file: IO[bytes], name: str
) -> Iterator[ObserveResult]:
    """Gives JSON lines to a store, a thousand at a time.

    Args:
        store: The store.
        file: One object per line; empty lines are passed over.
        name: The file's name, for the rejects.

    Yields:
        The results of each thousand lines.

    Raises:
        OSError: The file cannot be read.
        Unavailable: The store does not answer.
    """
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


def _written_like(source: SourceConfig | None, path: str) -> SourceConfig:
    """The settings of a log for a file that may have another format."""
    kind = _KINDS.get(Path(path).suffix.lower(), "parquet")
    if source is None:
        return SourceConfig.model_validate({"format": kind})
    unused = {"format", "files", *OF_DELTA} | (set() if kind == "csv" else {*OF_CSV})
    settings = source.model_dump(exclude=unused)
    return SourceConfig.model_validate({**settings, "format": kind})


def _observe_log(
    store: UserStore, path: str, config: FeatureConfig, source: SourceConfig
) -> Iterator[ObserveResult]:
    log = open_source(source, config, path)
    for part in log.parts():
        for raw in log.read(part):
            yield store.observe(raw.table, part.name, raw.first_row)
            for lines, reason in ((raw.malformed, MALFORMED), (raw.unclosed, UNCLOSED)):
                if lines:
                    yield _rejected(lines, reason, part.name)


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _rejected(lines: Sequence[str], reason: str, name: str) -> ObserveResult:
    count = len(lines)
    rows: list[dict[str, Any]] = [{"line": line} for line in lines]
    return ObserveResult(count, 0, reject_table(rows, [reason] * count, [name] * count))
