"""The impression-log contract: columns, types, and what a log's file must have.

Ids are carried as text from the source on: an int64 id 712 is "712" everywhere, so
that the same user is the same whether a log was written with numbers or with strings.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from preprocessing.contract.column_names import (
    AUTHOR_ID,
    CONTRACT_COLUMNS,
    REQUIRED_COLUMNS,
    SOURCE_FILE,
    SOURCE_ROW,
    TAGS,
    USER_ID,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.storage.files import SourceError

TEXT_LIST = pa.list_(pa.string())

# Latest time that is taken for milliseconds, the end of the year 9999; it keeps
# differences of times inside int64 and catches micro- and nanoseconds.
MAX_TIME_MS = 253_402_300_799_999


def impression_schema(config: FeatureConfig) -> pa.Schema:
    """Canonical schema of accepted impressions: contract, label columns, extras.

    Columns that a row cannot be accepted without are not nullable.
    """
    required = set(config.columns_of_every_row)
    fields = [
        pa.field(name, _contract_type(name), nullable=name not in required)
        for name in CONTRACT_COLUMNS
    ]
    for name in config.label_columns:
        if name not in CONTRACT_COLUMNS:
            graded = name in config.graded_columns
            kind = pa.float32() if graded else pa.int64()
            fields.append(pa.field(name, kind, nullable=name not in required))
    types = {"categorical": pa.string(), "numeric": pa.float32(), "list": TEXT_LIST}
    fields += [pa.field(extra.name, types[extra.type]) for extra in config.extra]
    return pa.schema(fields)


def traced_schema(config: FeatureConfig) -> pa.Schema:
    """`impression_schema` and where each row came from (file, number in the file)."""
    return (
        impression_schema(config)
        .append(pa.field(SOURCE_FILE, pa.string(), nullable=False))
        .append(pa.field(SOURCE_ROW, pa.int64(), nullable=False))
    )


def check_columns(
    names: list[str],
    file: str,
    config: FeatureConfig,
    elsewhere: Collection[str] = (),
) -> None:
    """Checks that a file has every column that the configuration needs.

    Args:
        names: The file's columns.
        file: The file's name, for the message.
        config: Says which columns must be there beside the ids and the time.
        elsewhere: Columns that come from others of the file, or from other files.

    Raises:
        SourceError: A column is missing, or there twice.
    """
    schema = impression_schema(config)
    for name in (*REQUIRED_COLUMNS, *config.needed_columns):
        if name not in names and name not in elsewhere:
            raise SourceError(
                f"{file}: column '{name}' is missing; expected "
                f"{_expected(schema.field(name).type, name)}. "
                f"Received columns: {', '.join(names)}. (source.columns reads one of "
                "them in its place)"
            )
    for name in schema.names:
        if names.count(name) > 1:
            raise SourceError(f"{file}: column '{name}' is there more than once")


def check_types(
    found: pa.Schema, file: str, config: FeatureConfig, called: str = ""
) -> None:
    """Checks the types of a file's columns.

    Args:
        found: The file's schema.
        file: The file's name, for the message.
        config: Declares labels and further features.
        called: What the log calls the column, if it is one and has another name.

    Raises:
        SourceError: A column's type cannot be used for the column.
    """
    for field in impression_schema(config):
        if field.name not in found.names:
            continue
        received = found.field(field.name).type
        if not _usable(received, field.type, field.name):
            column = f"'{called}' (for {field.name})" if called else f"'{field.name}'"
            raise SourceError(
                f"{file}: column {column} has an unusable type; expected "
                f"{_expected(field.type, field.name)}. Received: {received}"
            )


def _contract_type(name: str) -> pa.DataType:
    if name in (USER_ID, VIDEO_ID, AUTHOR_ID):
        return pa.string()
    return TEXT_LIST if name == TAGS else pa.int64()


def _usable(received: pa.DataType, wanted: pa.DataType, name: str) -> bool:
    kinds = pa.types
    if kinds.is_dictionary(received):
        received = received.value_type
    if kinds.is_null(received):
        return True
    if kinds.is_list(wanted):
        listed = kinds.is_list(received) or kinds.is_large_list(received)
        return _is_name(received.value_type) if listed else _is_text(received)
    if kinds.is_string(wanted):
        return _is_name(received)
    if name.endswith("_ms") and kinds.is_timestamp(received):
        return True
    return (
        kinds.is_integer(received)
        or kinds.is_floating(received)
        or kinds.is_boolean(received)
        or kinds.is_decimal(received)
    )


def _is_name(received: pa.DataType) -> bool:
    if pa.types.is_dictionary(received):
        received = received.value_type
    return (
        _is_text(received)
        or pa.types.is_integer(received)
        or pa.types.is_boolean(received)
        or pa.types.is_null(received)
        or (pa.types.is_decimal(received) and received.scale == 0)
    )


def _is_text(received: pa.DataType) -> bool:
    return (
        pa.types.is_string(received)
        or pa.types.is_large_string(received)
        or pa.types.is_binary(received)
        or pa.types.is_large_binary(received)
    )


def _expected(wanted: pa.DataType, name: str) -> str:
    if pa.types.is_list(wanted):
        return "a list of strings or integers, or text with one"
    if pa.types.is_string(wanted):
        return "a string or integer"
    if name.endswith("_ms"):
        return "an int64 of milliseconds (or a timestamp)"
    return "a number"
