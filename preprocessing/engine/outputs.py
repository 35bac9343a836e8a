"""Where an engine puts its results: tables in memory, or Parquet files."""

from __future__ import annotations

from collections.abc import Collection
from types import TracebackType
from typing import Protocol

import pyarrow as pa

from preprocessing.checks.rejects import REJECT_SCHEMA
from preprocessing.contract.column_names import RARELY_REPEATED
from preprocessing.contract.config import FeatureConfig
from preprocessing.features.columns import feature_schema
from preprocessing.state.files import (
    RATE_STATE,
    USER_STATE,
    VIDEO_STATE,
    state_parts,
)
from preprocessing.state.rates import rate_state_schema
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA
from preprocessing.storage.files import join
from preprocessing.storage.parquet import TableWriter

FEATURES, REJECTS, STATE = "features", "rejects", "state"


class Outputs(Protocol):
    """Takes results from any number of threads, while it is entered."""

    def reject(self, rejects: pa.Table) -> None:
        """Takes rejects, by `checks.rejects.REJECT_SCHEMA`."""

    def write(self, name: str, shard: int, table: pa.Table) -> None:
        """Takes a shard's `FEATURES` or a part of its state, each once."""

    def __enter__(self) -> Outputs: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class TableOutputs:
    """Keeps results in memory.

    Args:
        config: Gives the columns of the feature table.
    """

    def __init__(self, config: FeatureConfig):
        schemas = {**_schemas(config), REJECTS: REJECT_SCHEMA}
        self._tables = {n: [schema.empty_table()] for n, schema in schemas.items()}

    def reject(self, rejects: pa.Table) -> None:
        """Takes rejects, by `checks.rejects.REJECT_SCHEMA`."""
        self._tables[REJECTS].append(rejects)

    def write(self, name: str, shard: int, table: pa.Table) -> None:
        """Takes a shard's `FEATURES` or a part of its state, each once."""
        self._tables[name].append(table)

    def table(self, name: str) -> pa.Table:
        """All that was taken, in that order: also of `REJECTS`."""
        return pa.concat_tables(self._tables[name])

    def __enter__(self) -> TableOutputs:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class FileOutputs:
    """Writes results to Parquet files: one for all rejects, else one per shard.

    Readers find the columns even where there is no row: a table that has none is
    written as an empty file, unless an error ends the run.

    Args:
        out_dir: Folder for `features/`, `rejects/` and `state/`: a path or a URI.
        config: Gives the columns of the feature table.
        rejects_file: The rejects' file, if not one in `rejects/`.
        tables: What else is written; `write` is called for these alone. By default
            the features and the parts of the state.
    """

    def __init__(
        self,
        out_dir: str,
        config: FeatureConfig,
        rejects_file: str = "",
        tables: Collection[str] | None = None,
    ):
        self._out_dir = out_dir
        schemas = _schemas(config)
        self._schemas = schemas if tables is None else {n: schemas[n] for n in tables}
        self._filled: set[str] = set()
        self._rejects = self._writer(REJECTS, 0, REJECT_SCHEMA)
        if rejects_file:
            self._rejects = TableWriter(rejects_file, REJECT_SCHEMA)

    def reject(self, rejects: pa.Table) -> None:
        """Takes rejects, by `checks.rejects.REJECT_SCHEMA`."""
        self._rejects.write(rejects)

    def write(self, name: str, shard: int, table: pa.Table) -> None:
        """Takes a shard's `FEATURES` or a part of its state, each once."""
        if table.num_rows:
            self._filled.add(name)
            with self._writer(_FOLDERS[name], shard, table.schema) as writer:
                writer.write(table)

    def __enter__(self) -> FileOutputs:
        self._rejects.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rejects.__exit__(kind, error, trace)
        if kind is None:
            for name in self._schemas.keys() - self._filled:
                with self._writer(_FOLDERS[name], 0, self._schemas[name]):
                    pass

    def _writer(self, folder: str, shard: int, schema: pa.Schema) -> TableWriter:
        path = join(self._out_dir, folder, f"part-{shard:05d}.parquet")
        return TableWriter(path, schema, RARELY_REPEATED)


_FOLDERS = {
    FEATURES: FEATURES,
    USER_STATE: f"{STATE}/{USER_STATE}",
    VIDEO_STATE: f"{STATE}/{VIDEO_STATE}",
    RATE_STATE: f"{STATE}/{RATE_STATE}",
}


def _schemas(config: FeatureConfig) -> dict[str, pa.Schema]:
    schemas = {
        USER_STATE: USER_STATE_SCHEMA,
        VIDEO_STATE: VIDEO_STATE_SCHEMA,
        RATE_STATE: rate_state_schema(config),
    }
    return {
        FEATURES: feature_schema(config),
        **{part: schemas[part] for part in state_parts(config)},
    }
