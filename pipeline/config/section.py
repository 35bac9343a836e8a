"""What the sections of the configuration have in common."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """Base of every section: frozen; unknown keys and infinite numbers are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


PartT = TypeVar("PartT", bound=Section)


def select(source: Any, kind: type[PartT]) -> PartT:
    """An object of `kind` with the values of the same names, nested sections likewise.

    Args:
        source: Has an attribute for each field of `kind`.
        kind: The section to make; where a field of it is a section of another class
            than the source's value, that one is selected from the value.
    """
    values = {}
    for name, field in kind.model_fields.items():
        value, wanted = getattr(source, name), field.annotation
        if isinstance(wanted, type) and issubclass(wanted, Section):
            value = select(value, wanted)
        values[name] = value
    return kind.model_validate(values)
