"""MovieLens' official files as an impression log: a rating is an impression.

ml-1m: `ratings.dat`, `movies.dat`, `users.dat`, fields divided by `::`, Latin-1.
ml-20m, ml-25m: `ratings.csv`, `movies.csv`, with a header, UTF-8.

A movie's genres are its `video_tags`. The column `rating` is there for labels, by
`{column: rating, at_least: 4}`. Times are in seconds. Nothing is known of watching
times, uploads and first launches.

Declared features may be, by entity: `video`: `title`; `user` (ml-1m only): `gender`,
`age`, `occupation`, `zip_code`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from preprocessing.arrays.conversion import to_array
from preprocessing.contract.column_names import EVENT_TIME, TAGS, USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.readers.csv import read_cells
from preprocessing.readers.csv_texts import check_header, read_texts
from preprocessing.sources.source import FilePart, RawRows
from preprocessing.storage.files import (
    DataFile,
    SourceError,
    find_files,
    only_file,
    open_file,
)

RATING = "rating"
DAT_FILES = ("ratings.dat", "movies.dat")
CSV_FILES = ("ratings.csv", "movies.csv")
USER_FILE = "users.dat"
_NO_GENRES = "(no genres listed)"
_RATINGS = (USER_ID, VIDEO_ID, RATING, EVENT_TIME)
_CSV_RATINGS = ("userId", "movieId", "rating", "timestamp")
_CSV_MOVIES = ("movieId", "title", "genres")
_MOVIES = (VIDEO_ID, "title", TAGS)
_USERS = (USER_ID, "gender", "age", "occupation", "zip_code")
_FEATURES = {"video": ("title",), "user": _USERS[1:], "context": ()}
_SEPARATOR = "::"
_BLOCK_BYTES = 1 << 24


@dataclass(frozen=True)
class MovieLensSource:
    """The folder that holds a MovieLens data set's official files.

    Args:
        data_dir: Path or URI.
        config: The feature configuration.
    """

    data_dir: str
    config: FeatureConfig

    def parts(self) -> list[FilePart]:
        """One part, the ratings; also checks the columns of the other tables."""
        for extra in self.config.extra:
            known = _FEATURES[extra.entity]
            if extra.name not in known:
                raise SourceError(
                    f"MovieLens has no {extra.entity} feature '{extra.name}'. "
                    f"Known: {', '.join(known) or 'none'}"
                )
        for name in self.config.label_columns:
            if name != RATING:
                raise SourceError(
                    f"MovieLens has no label column '{name}'; expected '{RATING}', "
                    "with at_least"
                )
        file = self._ratings
        if not self._dat:
            check_header(file, _CSV_RATINGS)
            check_header(only_file(self.data_dir, "movies.csv"), _CSV_MOVIES)
        return [FilePart(file.path, file.name, -1, 0)]

    def read(self, part: FilePart) -> Iterator[RawRows]:
        """The ratings, with the other tables' columns added to them."""
        file = DataFile(part.path, part.name)
        if self._dat:
            ratings = _read_dat(file, _RATINGS)
        else:
            ratings = _renamed(read_cells(file, _CSV_RATINGS), _RATINGS)
        for rows in ratings:
            table = _in_ms(rows.table.cast(_texts(_RATINGS)))
            table = _joined(table, VIDEO_ID, self._movies)
            if self._users is not None:
                table = _joined(table, USER_ID, self._users)
            yield rows._replace(table=table)

    def user_state(self) -> pa.Table | None:
        """None: such a log brings no state."""
        return None

    @cached_property
    def _dat(self) -> bool:
        return bool(find_files(self.data_dir, "ratings.dat", required=False))

    @cached_property
    def _ratings(self) -> DataFile:
        return only_file(self.data_dir, "ratings.dat" if self._dat else "ratings.csv")

    @cached_property
    def _movies(self) -> pa.Table:
        if self._dat:
            table = _whole_dat(only_file(self.data_dir, "movies.dat"), _MOVIES)
        else:
            file = only_file(self.data_dir, "movies.csv")
            table = read_texts(file, _CSV_MOVIES).rename_columns(list(_MOVIES))
        genres = to_array(table[TAGS])
        genres = pc.if_else(pc.equal(genres, _NO_GENRES), "", genres)
        place = table.schema.get_field_index(TAGS)
        return table.set_column(place, TAGS, pc.split_pattern(genres, "|"))

    @cached_property
    def _users(self) -> pa.Table | None:
        if not any(extra.entity == "user" for extra in self.config.extra):
            return None
        if not self._dat:
            raise SourceError("this MovieLens data set knows nothing of its users")
        return _whole_dat(only_file(self.data_dir, "users.dat"), _USERS)


def _read_dat(file: DataFile, columns: tuple[str, ...]) -> Iterator[RawRows]:
    """Lines divided by `::`, block by block; others are handed over as malformed."""
    first_row = 0
    try:
        with open_file(file.path) as opened:
            reader = pa_csv.open_csv(
                opened,
                read_options=pa_csv.ReadOptions(
                    column_names=["line"],
                    use_threads=False,
                    block_size=_BLOCK_BYTES,
                    encoding="latin-1",
                ),
                parse_options=pa_csv.ParseOptions(delimiter="\x01", quote_char=False),
                convert_options=pa_csv.ConvertOptions(
                    column_types={"line": pa.string()}
                ),
            )
            for batch in reader:
                rows = _divided(batch.column(0), columns, first_row)
                first_row += batch.num_rows
                yield rows
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{file.name} cannot be read: {error}") from error


def _divided(lines: pa.Array, columns: tuple[str, ...], first_row: int) -> RawRows:
    cells = pc.split_pattern(lines, _SEPARATOR)
    whole = pc.equal(pc.list_value_length(cells), len(columns))
    flat = cells.filter(whole).flatten()
    starts = np.arange(0, len(flat), len(columns))
    table = pa.table(
        {
            name: flat.take(pa.array(starts + place))
            for place, name in enumerate(columns)
        }
    )
    return RawRows(table, first_row, lines.filter(pc.invert(whole)).to_pylist())


def _whole_dat(file: DataFile, columns: tuple[str, ...]) -> pa.Table:
    parts = list(_read_dat(file, columns))
    for part in parts:
        if part.malformed:
            raise SourceError(
                f"{file.name}: expected {len(columns)} fields divided by "
                f"'{_SEPARATOR}'. Received: {part.malformed[0]!r}"
            )
    return pa.concat_tables([part.table for part in parts]).combine_chunks()


def _renamed(parts: Iterator[RawRows], columns: tuple[str, ...]) -> Iterator[RawRows]:
    for rows in parts:
        yield rows._replace(table=rows.table.rename_columns(list(columns)))


def _texts(columns: tuple[str, ...]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in columns])


def _in_ms(table: pa.Table) -> pa.Table:
    """Seconds as text become milliseconds as text; an empty cell stays empty."""
    seconds = to_array(table[EVENT_TIME])
    ms = pc.binary_join_element_wise(seconds, "000", "")
    ms = pc.if_else(pc.equal(seconds, ""), "", ms)
    return table.set_column(table.schema.get_field_index(EVENT_TIME), EVENT_TIME, ms)


def _joined(log: pa.Table, key: str, lookup: pa.Table) -> pa.Table:
    """Adds the lookup's columns; null where the key is unknown."""
    row = pc.index_in(log[key], value_set=to_array(lookup[key]))
    for name in lookup.column_names:
        if name != key:
            log = log.append_column(name, lookup[name].take(row))
    return log
