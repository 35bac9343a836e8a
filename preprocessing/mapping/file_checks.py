"""Whether a file has the columns that are read of it, in types that can be used."""

from __future__ import annotations

import difflib
from collections.abc import Collection

import pyarrow as pa

from preprocessing.arrays.conversion import is_text
from preprocessing.contract.column_mapping import ISO8601, ColumnConfig
from preprocessing.contract.column_names import REQUIRED_COLUMNS
from preprocessing.contract.schema import check_columns, check_types
from preprocessing.mapping.log_columns import LogColumns
from preprocessing.storage.files import SourceError


def check_names(
    log: LogColumns, names: list[str], file: str, may_lack: Collection[str] = ()
) -> None:
    """Checks that a file has every column that is needed of it.

    Args:
        log: Says which.
        names: The columns of the file and its folders.
        file: The file's name, for the message.
        may_lack: The contract's columns that other files of the log may have instead.

    Raises:
        SourceError: A column is missing, or there twice.
    """
    entries = log.source.explode
    if entries.column is not None:
        where = "source.explode.column"
        _check(entries.column, names, file, f"which {where} names")
        for field in entries.fields:
            if field in names:
                raise SourceError(
                    f"{file} has a column '{field}', which is also one of "
                    "source.explode.fields: give the field another name"
                )
        names = [*names, *entries.fields]
    for column in log.source.where:
        _check(column, names, file, "which source.where names")
    for name, made in log.source.columns.items():
        if name in may_lack:
            continue
        for column in made.sources:
            _check(column, names, file, f"which source.columns takes {name} from")
    check_columns(names, file, log.features, {*log.source.columns, *may_lack})
    for column in log.logical:
        if names.count(column) > 1:
            raise SourceError(f"{file}: column '{column}' is there more than once")


def check_kinds(log: LogColumns, found: pa.Schema, file: str) -> None:
    """Checks the types of a file's columns.

    Args:
        log: Says what is made of them.
        found: The file's columns.
        file: The file's name, for the message.

    Raises:
        SourceError: A column's type cannot be used for what is made of it.
    """
    for name, made in log.by_name.items():
        for column in made.sources:
            place = found.get_field_index(column)
            if place < 0:
                continue
            kind = found.field(place).type
            if not made.is_rename:
                _check_kind(name, made, column, kind, file)
                continue
            if column == log.source.explode.column:
                continue
            shown = "" if column == name else column
            check_types(pa.schema([(name, kind)]), file, log.features, shown)


def needed_columns(log: LogColumns) -> set[str]:
    """The contract's columns that one file of a log must have at least."""
    return {*log.features.needed_columns, *log.source.columns} - {*REQUIRED_COLUMNS}


def _check(column: str, names: list[str], file: str, why: str) -> None:
    if column in names:
        return
    near = difflib.get_close_matches(column, names, n=1, cutoff=0.6)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise SourceError(
        f"{file}: column '{column}' is missing, {why}.{hint} "
        f"Received columns: {', '.join(names)}"
    )


def _check_kind(
    name: str, made: ColumnConfig, column: str, kind: pa.DataType, file: str
) -> None:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_null(kind) or is_text(kind) or _fits(made, column, kind):
        return
    raise SourceError(
        f"{file}: column '{column}' has an unusable type for {name}; expected "
        f"{_expected(made, column)}. Received: {kind}"
    )


def _fits(made: ColumnConfig, column: str, kind: pa.DataType) -> bool:
    kinds = pa.types
    is_number = (
        kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind)
    )
    is_instant = kinds.is_timestamp(kind) or kinds.is_date(kind)
    if made.equals is not None:
        return is_number or is_instant or kinds.is_boolean(kind)
    if column == made.time:
        return kinds.is_integer(kind) or kinds.is_time(kind)
    if column == made.date:
        return kinds.is_integer(kind) or is_instant
    if made.format is not None:
        return kinds.is_integer(kind)
    if made.unit == ISO8601:
        return is_instant
    return is_number or is_instant or kinds.is_duration(kind)


def _expected(made: ColumnConfig, column: str) -> str:
    if made.equals is not None:
        return "text, a number, a boolean or a date"
    if column == made.time:
        return "text, a whole number or a time of day"
    if column == made.date:
        return "text, a whole number or a date"
    if made.format is not None:
        return "text or a whole number"
    if made.unit == ISO8601:
        return "text, a timestamp or a date"
    return "a number, text with one, a timestamp or a duration"
