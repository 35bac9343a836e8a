"""The files that an impression log is read from, and where its columns are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from preprocessing.contract.column_mapping import Cells, ColumnConfig
from preprocessing.contract.column_names import TIME_COLUMNS, WATCH_COLUMNS
from preprocessing.contract.section import Section

_DATA_SETS = ("kuairand", "movielens")
OF_CSV = ("delimiter", "header", "quoting", "compression")
OF_DELTA = ("version",)
_OF_FILES = ("files",)
_OF_ANY_LOG = (*_OF_FILES, "list_separator", "columns", "where", "explode")


class ExplodeConfig(Section):
    """A column that holds a list of impressions: one row becomes one per entry."""

    column: str | None = Field(
        None,
        min_length=1,
        description="The log's column that holds the list; without it nothing is "
        "exploded.",
    )
    separator: str = Field(
        " ", min_length=1, description="What stands between entries in a text cell."
    )
    fields: tuple[str, ...] = Field(
        (),
        description="What the parts of an entry are called: columns of the log from "
        "there on, which source.columns and source.where may name.",
    )
    field_separator: str = Field(
        "-", min_length=1, description="What stands between the parts of an entry."
    )

    @model_validator(mode="after")
    def _names(self) -> ExplodeConfig:
        if (self.column is None) != (not self.fields):
            raise ValueError("explode needs a column and the fields of its entries")
        if len(set(self.fields)) < len(self.fields) or "" in self.fields:
            raise ValueError(
                "explode.fields must be names that differ. "
                f"Received: {', '.join(map(repr, self.fields))}"
            )
        if len(self.fields) > 1 and self.separator == self.field_separator:
            raise ValueError("explode.separator and field_separator must differ")
        return self


class SourceConfig(Section):
    """The files that an impression log is read from."""

    format: Literal[
        "parquet", "csv", "tfrecord", "avro", "orc", "delta", "kuairand", "movielens"
    ] = Field(
        description="kuairand and movielens are those data sets' official files, delta "
        "is a table of Delta Lake; the others are files with the contract's columns, "
        "or others by `columns`."
    )
    files: tuple[str, ...] = Field(
        (),
        description="Which files below --data are read, by patterns such as "
        "'part-*.txt' (in any folder) or 'train/*.tsv'; by default those with the "
        "format's ending.",
    )
    delimiter: str = Field(
        ",",
        min_length=1,
        max_length=1,
        description="Of csv: the character between cells.",
    )
    header: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Of csv: the columns' names, where the files have no header line; "
        "by default each file's first line.",
    )
    quoting: bool = Field(
        True, description="Of csv: whether double quotes enclose cells."
    )
    compression: Literal["auto", "none", "gzip", "bz2", "xz", "zstd", "lz4"] = Field(
        "auto", description="Of csv: how files are compressed; auto: by their content."
    )
    version: int | None = Field(
        None,
        ge=0,
        description="Of delta: the table's version that is read; by default the "
        "newest.",
    )
    list_separator: str = Field(
        ",",
        min_length=1,
        description="What stands between the entries of a list in a text cell.",
    )
    null_values: tuple[str, ...] = Field(
        ("\\N", "NULL", "null", "None", "nan", "NaN", "<NA>"),
        description="Text cells that hold no value, beside the empty ones: what "
        "databases and data frames write for it. Of all formats alike.",
    )
    columns: dict[str, ColumnConfig] = Field(
        default_factory=dict,
        description="Where the contract's columns, labels' columns and further "
        "features come from, by name; a name that is not here is the log's own.",
    )
    where: dict[str, Cells] = Field(
        default_factory=dict,
        description="The rows that are read: those whose cell in each of these columns "
        "of the log is one of the values. Others are left out and counted.",
    )
    explode: ExplodeConfig = Field(
        ExplodeConfig(),
        description="A column that holds a list of impressions; none by default.",
    )

    @property
    def is_data_set(self) -> bool:
        """Whether it is a data set's official files, which no setting describes."""
        return self.format in _DATA_SETS

    @field_validator("delimiter")
    @classmethod
    def _one_plain_character(cls, mark: str) -> str:
        if not mark.isascii() or mark in '"\r\n':
            raise ValueError(
                "expected one character of ASCII that is neither a quote nor a line "
                "break"
            )
        return mark

    @field_validator("header")
    @classmethod
    def _distinct(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names is not None and len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"names that are there twice: {', '.join(twice)}")
        return names

    @model_validator(mode="after")
    def _used_by_the_format(self) -> SourceConfig:
        unused: tuple[str, ...] = () if self.format == "csv" else OF_CSV
        unused += _OF_FILES if self.format == "delta" else OF_DELTA
        if self.is_data_set:
            unused += _OF_ANY_LOG
        for name in unused:
            field = type(self).model_fields[name]
            if getattr(self, name) != field.get_default(call_default_factory=True):
                raise ValueError(f"{name} has no effect with format {self.format}")
        for column, cells in self.where.items():
            if not cells:
                raise ValueError(f"where.{column} needs one value at least")
        return self

    @model_validator(mode="after")
    def _units_of_times(self) -> SourceConfig:
        for name, made in self.columns.items():
            if made.reads_times and name not in TIME_COLUMNS:
                raise ValueError(
                    f"columns.{name} is read as a time, but the times are "
                    f"{', '.join(TIME_COLUMNS)}"
                )
            if made.unit and name not in (*TIME_COLUMNS, *WATCH_COLUMNS):
                raise ValueError(
                    f"columns.{name}: only times and durations have a unit "
                    f"({', '.join((*TIME_COLUMNS, *WATCH_COLUMNS))})"
                )
            if made.unit == "min" and name in TIME_COLUMNS:
                raise ValueError(f"columns.{name}: a time is not in minutes since 1970")
        return self
