"""What a contestant wrote, in brief, so that outputs can be compared at any size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars import selectors

_PART_ROWS = 250_000
_MODULUS = 1 << 64


@dataclass(frozen=True)
class Written:
    """A contestant's output; equal for equal rows in whatever order, files, encoding.

    Attributes:
        features: rows of the feature table.
        features_hash: sum of the hashes of its rows.
        rejects: rows that were rejected.
        rejects_hash: sum of the hashes of their contents and reasons.
    """

    features: int
    features_hash: int
    rejects: int
    rejects_hash: int


def written(out_dir: Path) -> Written:
    """Reads the Parquet files in `features/` and `rejects/` of a folder."""
    rows, total = 0, 0
    for part in _parts(out_dir, "features"):
        rows += part.height
        total += _hash(part)
    rejects, rejects_total = 0, 0
    for part in _parts(out_dir, "rejects"):
        rejects += part.height
        rejects_total += _hash(_readable(part))
    return Written(rows, total % _MODULUS, rejects, rejects_total % _MODULUS)


def check_same(outputs: dict[str, Written]) -> None:
    """Checks that contestants wrote the same.

    Raises:
        ValueError: They did not; the message holds what each wrote.
    """
    if len(set(outputs.values())) > 1:
        found = "\n".join(f"  {name}: {output}" for name, output in outputs.items())
        raise ValueError(f"the contestants' outputs differ:\n{found}")


def _parts(out_dir: Path, name: str) -> Iterator[pl.DataFrame]:
    for file in sorted(out_dir.glob(f"{name}/*.parquet")):
        table = pl.scan_parquet(file)
        rows = table.select(pl.len()).collect().item()
        for start in range(0, rows, _PART_ROWS):
            yield table.slice(start, _PART_ROWS).collect()


def _readable(rejects: pl.DataFrame) -> pl.DataFrame:
    """Rows without the spaces and the order of keys that JSON leaves open.

    Of equal rows any may be the duplicate, so files are not compared.
    """
    parsed = [json.loads(row) for row in rejects["row"]]
    rows = pl.Series([json.dumps(row, sort_keys=True) for row in parsed], dtype=str)
    return rejects.select(row=rows, reason="reason")


def _hash(rows: pl.DataFrame) -> int:
    """The sum of the rows' hashes: it does not depend on their order."""
    plain = rows.select(sorted(rows.columns)).with_columns(
        selectors.by_dtype(pl.Categorical, pl.Enum).cast(pl.String),
        selectors.starts_with("history_")
        .exclude("history_gap_ms")
        .cast(pl.List(pl.String)),
    )
    hashes = plain.hash_rows()
    low, high = hashes & 0xFFFFFFFF, hashes // (1 << 32)
    return int(low.sum()) + (int(high.sum()) << 32)
