"""How a column of the contract comes from the columns of somebody's log."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from preprocessing.contract.section import Section
from preprocessing.contract.time_zones import check_time_zone

# Milliseconds in a unit, as a fraction: exact where a float would not be.
UNITS_MS: dict[str, tuple[int, int]] = {
    "min": (60_000, 1),
    "s": (1000, 1),
    "ms": (1, 1),
    "us": (1, 1000),
    "ns": (1, 1_000_000),
}
ISO8601 = "iso8601"
_SAMPLE = datetime.datetime(2023, 4, 15, 18, 7, 9)


def _as_text(value: Any) -> Any:
    """YAML reads `2022-05-01` as a date; in a log it is a text."""
    return value.isoformat() if isinstance(value, datetime.date) else value


def _as_tuple(value: Any) -> Any:
    """A single value stands for a list of one."""
    return value if value is None or isinstance(value, list | tuple) else (value,)


Cell = Annotated[bool | int | float | str, BeforeValidator(_as_text)]
Cells = Annotated[tuple[Cell, ...], BeforeValidator(_as_tuple)]


class ColumnConfig(Section):
    """Where one of the contract's columns comes from.

    A text in place of the section is the name of the log's column.
    """

    column: str | None = Field(
        None, min_length=1, description="The log's column that holds it."
    )
    unit: Literal["min", "s", "ms", "us", "ns", "iso8601"] | None = Field(
        None,
        description="Of a time: s, ms, us or ns since 1970, or iso8601 for text; of a "
        "duration: min, s, ms, us or ns. What is finer than a millisecond is rounded "
        "down. By default what the contract says: milliseconds, a timestamp or "
        "ISO 8601 text.",
    )
    since: datetime.date | None = Field(
        None,
        description="Of a time in s, ms, us or ns: the day from whose beginning, in "
        "UTC, the numbers count; by default 1970-01-01. For logs whose times begin at "
        "0, any day: a run needs to know the order and the distances alone.",
    )
    format: str | None = Field(
        None,
        min_length=1,
        description="How times are written in text, as strptime takes it, such as "
        "'%m/%d/%Y %I:%M:%S %p'.",
    )
    date: str | None = Field(
        None,
        min_length=1,
        description="The log's column that holds a time's date, as 2022-05-01 or "
        "20220501; alone it means the midnight that the day begins with.",
    )
    time: str | None = Field(
        None,
        min_length=1,
        description="The column that holds the time of day beside `date`, as 18:04, "
        "18:04:05.25, 1804 or 180405.",
    )
    time_zone: str | None = Field(
        None,
        description="Where times that name no zone were taken: a name of the IANA time "
        "zone database. By default UTC.",
    )
    constant: Cell | None = Field(None, description="What every row has.")
    equals: Cells | None = Field(
        None,
        description="The cells that count as 1; others are 0, missing ones missing.",
    )

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, name: str | None) -> str | None:
        return None if name is None else check_time_zone(name)

    @field_validator("format")
    @classmethod
    def _usable_format(cls, text: str | None) -> str | None:
        if text is not None:
            _check_format(text)
        return text

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnConfig:
        origins = {
            "column": self.column,
            "date": self.date,
            "constant": self.constant,
        }
        given = [name for name, value in origins.items() if value is not None]
        if len(given) != 1:
            raise ValueError(
                "expected one of column, date and constant. Received: "
                f"{' and '.join(given) or 'none of them'}"
            )
        if self.time is not None and self.date is None:
            raise ValueError("time is the time of day beside a date: date is missing")
        readings = {"unit": self.unit, "format": self.format, "equals": self.equals}
        ways = [name for name, value in readings.items() if value is not None]
        if len(ways) > 1 or (ways and self.column is None):
            of = "a column is read in one way" if self.column else "without column"
            raise ValueError(f"{' and '.join(ways)}: {of}")
        if self.equals == ():
            raise ValueError("equals needs one value at least")
        if self.since is not None and self.unit not in ("s", "ms", "us", "ns"):
            raise ValueError(
                "since is for a time in s, ms, us or ns. "
                f"Received: unit {self.unit or 'not given'}"
            )
        if self.time_zone is not None and not self._may_have_a_zone:
            raise ValueError(
                "time_zone is for text, timestamps and dates; numbers since 1970 and "
                "constants have none"
            )
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The log's columns that it reads."""
        return tuple(name for name in (self.column, self.date, self.time) if name)

    @property
    def reads_times(self) -> bool:
        """Whether it can make nothing but times."""
        return bool(
            self.date
            or self.format
            or self.since
            or self.time_zone
            or self.unit == ISO8601
        )

    @property
    def is_rename(self) -> bool:
        """Whether it hands on the log's column as it stands."""
        return self == ColumnConfig(column=self.column) if self.column else False

    @property
    def _may_have_a_zone(self) -> bool:
        if self.column is None:
            return self.date is not None
        return self.unit in (None, ISO8601) and self.equals is None


def _check_format(text: str) -> None:
    """Checks that a format reads what it writes.

    Raises:
        ValueError: It does not.
    """
    try:
        written = _SAMPLE.strftime(text)
        read = datetime.datetime.strptime(written, text)
    except ValueError as error:
        raise ValueError(
            f"expected a format of strptime, such as '%Y-%m-%d %H:%M:%S': {error}"
        ) from error
    if read.date() != _SAMPLE.date():
        raise ValueError(
            "expected a format of strptime with year, month and day, such as "
            f"'%Y-%m-%d %H:%M:%S'. Received: {text!r}, which reads {written!r} as "
            f"{read:%Y-%m-%d}"
        )
