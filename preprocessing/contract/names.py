"""Names that a configuration gives to labels, tasks and features."""

from __future__ import annotations

import keyword
import re
from typing import Annotated

from pydantic import AfterValidator

_LONGEST = 64
_PATTERN = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{_LONGEST - 1}}}", re.ASCII)
# What a function of TensorFlow's with such an argument could not be called with.
_RESERVED = ("self",)


def check_name(name: str) -> str:
    """Checks a name that becomes one of columns, tensors, arguments, scopes and files.

    Raises:
        ValueError: It cannot be all of these; the message has the letters it may have.
    """
    if _PATTERN.fullmatch(name) and not _is_taken(name):
        return name
    raise ValueError(
        "a name has letters (a-z, A-Z), digits and underscores, begins with a letter, "
        f"is at most {_LONGEST} characters long and no word of Python's such as 'class'"
    )


def _is_taken(name: str) -> bool:
    return keyword.iskeyword(name) or name in _RESERVED


Name = Annotated[str, AfterValidator(check_name)]
