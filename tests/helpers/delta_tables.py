"""Delta tables, as their own writer writes them, where its package is installed."""

from pathlib import Path

import pytest

from tests.helpers.log_files import Rows


def write_delta(folder: Path, rows: Rows, by: list[str] | None = None) -> Path:
    """Appends rows to a table; new columns are added to it."""
    deltalake = pytest.importorskip("deltalake")
    polars = pytest.importorskip("polars")
    deltalake.write_deltalake(
        str(folder),
        polars.DataFrame(rows, infer_schema_length=None),
        partition_by=by,
        mode="append",
        schema_mode="merge",
    )
    return folder
