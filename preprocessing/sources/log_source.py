"""An impression log in files of any format that a reader knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import pyarrow as pa

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.mapping.file_checks import check_kinds, check_names, needed_columns
from preprocessing.mapping.log_columns import LogColumns
from preprocessing.readers.reader import (
    FilePart,
    RawRows,
    TableReader,
    Wanted,
)
from preprocessing.sources.null_marks import without_null_marks
from preprocessing.sources.partitions import with_folder_columns
from preprocessing.storage.files import SourceError
from preprocessing.storage.folder_columns import folder_values

_EXPLODED_ROWS = 1 << 12


@dataclass(frozen=True)
class LogSource:
    """Files of one format, as rows under the contract's names.

    Whatever the format, in this order: columns of the folders' names are added, cells
    that hold no value become null, entries of lists become rows, rows that are not
    asked for are left out, and the log's columns become the contract's.

    Args:
        reader: Reads the files.
        source: Says where columns come from, and which rows are read.
        features: The feature configuration.
        data_dir: Where the files are, for messages.
    """

    reader: TableReader
    source: SourceConfig
    features: FeatureConfig
    data_dir: str

    def parts(self) -> list[FilePart]:
        """The parts of all files; the columns of each file are checked.

        In a format whose rows may lack values' names altogether, a column that rows may
        lack need not be in each file, but in one of them.
        """
        needed = needed_columns(self._log)
        required = {*self.features.columns_of_every_row}
        may_lack = needed - required if self.reader.is_sparse else set()
        parts: list[FilePart] = []
        seen: set[str] = set()
        for file in self.reader.files():
            schema, of_file = self.reader.describe(file, self._wanted)
            parts += of_file
            if schema is None:
                continue
            told = folder_values(file.name)
            names = [*schema.names, *sorted(told.keys() - {*schema.names})]
            check_names(self._log, names, file.name, may_lack)
            if self.reader.is_typed:
                check_kinds(self._log, schema, file.name)
            seen |= {*names}
        if self.reader.is_sparse and seen:  # an empty log has a message of its own
            self._check_somewhere(parts, may_lack, seen)
        return parts

    def read(self, part: FilePart) -> Iterator[RawRows]:
        """The rows of one part."""
        for rows in self.reader.read(part, self._wanted):
            yield from map(partial(self._as_impressions, part), self._pieces(rows))

    def user_state(self) -> pa.Table | None:
        """None: such a log brings no state."""
        return None

    def _pieces(self, rows: RawRows) -> Iterator[RawRows]:
        """Few rows at a time, if each of them becomes many."""
        if self.source.explode.column is None:
            yield rows
            return
        for start in range(0, max(rows.table.num_rows, 1), _EXPLODED_ROWS):
            table = rows.table.slice(start, _EXPLODED_ROWS)
            lines = rows if start == 0 else RawRows(table, 0, [])
            yield lines._replace(table=table, first_row=rows.first_row + start)

    def _as_impressions(self, part: FilePart, rows: RawRows) -> RawRows:
        log, marks = self._log, self.source.null_values
        table = with_folder_columns(rows.table, part.name, log.physical)
        table, problems = log.exploded(without_null_marks(table, marks))
        if self.source.explode.column is not None:
            table = without_null_marks(table, marks)  # of the entries' parts
        asked, left_out = log.asked_for(table), 0
        if asked is not None and not asked.all():
            left_out = table.num_rows - int(asked.sum())
            table = table.filter(pa.array(asked))
            problems = problems.of(asked)
        return rows._replace(
            table=log.mapped(table, problems),
            first_row=rows.first_row * log.numbers_apart,
            left_out=left_out,
        )

    @cached_property
    def _log(self) -> LogColumns:
        return LogColumns(self.source, self.features)

    @cached_property
    def _wanted(self) -> Wanted:
        return Wanted(self._log.physical, self._log.lists)

    def _check_somewhere(
        self, parts: list[FilePart], may_lack: set[str], seen: set[str]
    ) -> None:
        """Reads on until each column was seen; most logs show all in their first rows.

        Raises:
            SourceError: No example of any file has a column.
        """
        fields = {*self.source.explode.fields}
        by_name = self._log.by_name
        missing = {
            column
            for name in may_lack
            for column in by_name[name].sources
            if column not in fields
        } - seen
        for part in parts:
            for rows in self.reader.read(part, self._wanted) if missing else ():
                missing = missing - {*rows.table.column_names}
                if not missing:
                    return
        if missing:
            raise SourceError(
                f"no example in {self.data_dir} has the feature "
                f"{', '.join(sorted(missing))}: expected it in one at least"
            )
