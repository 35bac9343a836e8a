"""Whether two contestants wrote the same rows, in whatever order and encoding."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

_MODULUS = 1 << 64


@dataclass(frozen=True)
class Written:
    """What a contestant wrote, in brief.

    Attributes:
        features: rows of the feature table.
        features_hash: the sum of the rows' hashes: it depends on neither their order
            nor the files, but on each value.
        rejects: how many, by reason.
        rejects_hash: as `features_hash`, of the rejected rows and their reasons.
    """

    features: int
    features_hash: int
    rejects: dict[str, int]
    rejects_hash: int


def written(folder: Path) -> Written:
    """Reads what a contestant wrote into a folder.

    Args:
        folder: holds `features*.parquet` and `rejects*.parquet`.
    """
    rows, total = 0, 0
    for file in sorted(folder.glob("features*.parquet")):
        for part in _parts(file):
            rows += part.height
            total += _hash(part)
    rejects = pl.concat(
        pl.read_parquet(file) for file in sorted(folder.glob("rejects*.parquet"))
    )
    reasons = rejects["reason"].value_counts(sort=True).rows()
    parsed = [sorted(json.loads(row).items()) for row in rejects["row"]]
    plain = rejects.with_columns(row=pl.Series([repr(row) for row in parsed]))
    return Written(
        rows, total % _MODULUS, dict(reasons), _hash(plain.select("row", "reason"))
    )


def _parts(file: Path) -> list[pl.DataFrame]:
    return []


def _hash(rows: pl.DataFrame) -> int:
    columns = sorted(rows.columns)
    return sum(rows.select(columns).hash_rows(1, 2, 3, 4).to_list()) % _MODULUS
