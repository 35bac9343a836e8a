"""Which columns of a log are read, and the contract's columns that they become."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.arrays.cell_match import cells_in
from preprocessing.arrays.conversion import is_text, to_array
from preprocessing.contract.column_mapping import ColumnConfig
from preprocessing.contract.column_names import SOURCE_PROBLEM
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.contract.source_config import SourceConfig
from preprocessing.mapping.column_values import column_values
from preprocessing.mapping.explode import ENTRIES_APART, explode
from preprocessing.mapping.problems import RowProblems

_COMMA = ","  # between entries of a list, where nothing else is said
_PRINTED = r"(?s)^\s*[\[{(].*[\]})]\s*$"


@dataclass(frozen=True)
class LogColumns:
    """How a log's rows become rows under the contract's names.

    Args:
        source: Says where columns come from, and which rows are read.
        features: Says which columns there are.
    """

    source: SourceConfig
    features: FeatureConfig

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of an impression."""
        return impression_schema(self.features)

    @cached_property
    def by_name(self) -> dict[str, ColumnConfig]:
        """Where each of the contract's columns comes from, in the contract's order."""
        return {
            name: self.source.columns.get(name, ColumnConfig(column=name))
            for name in self.schema.names
        }

    @cached_property
    def logical(self) -> tuple[str, ...]:
        """The log's columns that are used, those of exploded entries among them."""
        used = [name for made in self.by_name.values() for name in made.sources]
        return tuple(dict.fromkeys([*used, *self.source.where]))

    @cached_property
    def physical(self) -> tuple[str, ...]:
        """The columns that are read of files."""
        entries = self.source.explode
        names = [name for name in self.logical if name not in entries.fields]
        listed = [entries.column] if entries.column else []
        return tuple(dict.fromkeys([*names, *listed]))

    @cached_property
    def lists(self) -> frozenset[str]:
        """Those of them that may hold lists."""
        names = {
            source
            for name, made in self.by_name.items()
            if pa.types.is_list(self.schema.field(name).type)
            for source in made.sources
        }
        return frozenset(names | {self.source.explode.column or ""}) - {""}

    @property
    def numbers_apart(self) -> int:
        """How far apart the numbers of a file's rows are."""
        return ENTRIES_APART if self.source.explode.column else 1

    def exploded(self, table: pa.Table) -> tuple[pa.Table, RowProblems]:
        """One row per impression, and what is wrong with rows.

        Args:
            table: Has some of `physical`.
        """
        entries = self.source.explode
        if entries.column is None or entries.column not in table.column_names:
            return table, RowProblems(table.num_rows)
        return explode(table, entries, set(self.logical))

    def asked_for(self, table: pa.Table) -> np.ndarray | None:
        """Which rows `source.where` asks for, bool [rows]; None for all.

        Args:
            table: Has some of `logical`; a column that it lacks is null in all rows.
        """
        wanted = None
        for name, values in self.source.where.items():
            if name in table.column_names:
                found = cells_in(to_array(table[name]), values)
            else:
                found = np.zeros(table.num_rows, dtype=bool)
            wanted = found if wanted is None else wanted & found
        return wanted

    def mapped(self, table: pa.Table, problems: RowProblems) -> pa.Table:
        """The columns of an impression, as a raw table for the validation.

        Where rows have problems, the log's own columns stand behind the contract's, so
        that a reject shows what could not be read.

        Args:
            table: Has some of `logical`.
            problems: Of its rows; further ones are added.
        """
        there = table.column_names
        columns: dict[str, pa.Array | pa.ChunkedArray] = {}
        for name in sorted(self.by_name, key=lambda name: self._place(name, there)):
            made = self.by_name[name]
            if all(source in there for source in made.sources):
                values = column_values(name, made, table, problems)
                columns[name] = self._divided(name, values)
        if problems:
            own = [n for n in there if n not in columns and n in self._computed_from]
            columns |= {name: table[name] for name in own}
            columns[SOURCE_PROBLEM] = problems.column()
        return pa.table(columns)

    @cached_property
    def _computed_from(self) -> set[str]:
        made = (made for made in self.by_name.values() if not made.is_rename)
        return {name for each in made for name in each.sources}

    def _place(self, name: str, there: list[str]) -> int:
        """A column stands where the log has it; constants stand last."""
        places = [there.index(n) for n in self.by_name[name].sources if n in there]
        return places[0] if places else len(there)

    def _divided(
        self, name: str, values: pa.Array | pa.ChunkedArray
    ) -> pa.Array | pa.ChunkedArray:
        """Text of a list column as lists, where something else divides than a comma."""
        mark = self.source.list_separator
        listed = pa.types.is_list(self.schema.field(name).type)
        if mark == _COMMA or not listed or not is_text(values.type):
            return values
        cells = to_array(values).cast(pa.binary())
        printed = pc.match_substring_regex(cells, pattern=_PRINTED)
        printed = pc.fill_null(printed, False)
        if not pc.any(printed).as_py():
            return pc.split_pattern(cells, mark)
        divided = pc.split_pattern(
            pc.if_else(printed, pa.scalar(None, pa.binary()), cells), mark
        )
        alone = pa.ListArray.from_arrays(
            pa.array(np.arange(len(cells) + 1, dtype=np.int32)), cells
        )
        return pc.if_else(printed, alone, divided)
