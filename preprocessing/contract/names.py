"""Names that a configuration gives to labels, tasks and features."""

from __future__ import annotations

import keyword
import re
from typing import Annotated

from pydantic import AfterValidator

_LONGEST = 64
_PATTERN = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{_LONGEST - 1}}}", re.ASCII)
# `self`: an argument that no function of TensorFlow's can be given by name. `examples`:
# TFMA takes a feature of the name of the signature's input for the input.
_RESERVED = ("self", "examples")


def check_name(name: str) -> str:
    """Checks a name that becomes one of columns, tensors, arguments, scopes and files.

    Raises:
        ValueError: It cannot be all of these; the message has the letters it may have.
    """
    if _PATTERN.fullmatch(name) and not _is_taken(name):
        return name
    raise ValueError(
        "a name has letters (a-z, A-Z), digits and underscores, begins with a letter, "
        f"is at most {_LONGEST} characters long, and is neither a word of Python's, "
        f"such as 'class', nor one of {', '.join(_RESERVED)}"
    )


def _is_taken(name: str) -> bool:
    return keyword.iskeyword(name) or name in _RESERVED


Name = Annotated[str, AfterValidator(check_name)]
