"""What the sections of the configuration have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """Base of every section: frozen; unknown keys and infinite numbers are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def refuse_unused(section: Section, names: Iterable[str], why: str) -> None:
    """Refuses settings that nothing reads, as the section stands.

    A default value passes even if it was written down: `dump_config` and the parts of
    the components write all of them.

    Args:
        section: The section.
        names: Its settings that have no effect.
        why: As it stands in the message, such as `without task`.

    Raises:
        ValueError: One of them has another value than its default.
    """
    for name in names:
        field, value = type(section).model_fields[name], getattr(section, name)
        if value != field.get_default(call_default_factory=True):
            raise ValueError(
                f"{name} has no effect {why}: leave it out. Received: {value!r}"
            )


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
