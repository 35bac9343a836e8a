"""YAML in which everything is read as what it looks like.

A key that is given twice, or that YAML takes for something other than text (`on`, `1`),
is an error; so is what looks like a date and is not, and a number that YAML reads in
another base (`017` is 15, `12:30` is 750).
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.constructor import ConstructorError


def read_yaml(text: str) -> Any:
    """The value of a YAML document.

    Raises:
        ValueError: It cannot be read; the message is one line with the place.
    """
    try:
        return yaml.load(text, _StrictLoader)
    except yaml.MarkedYAMLError as error:
        raise ValueError(_in_one_line(error)) from error
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _in_one_line(error: yaml.MarkedYAMLError) -> str:
    said = ", ".join(part for part in (error.context, error.problem) if part)
    mark = error.problem_mark
    if mark is None:
        return said
    return f"{said} (line {mark.line + 1}, column {mark.column + 1})"


# What the library lets escape for values that it cannot make: of `2022-13-01`,
# `!!bool x`, `!!float ''` or `!!timestamp x`.
_ESCAPING = (ValueError, OverflowError, LookupError, AttributeError, TypeError)
_OTHER_BASE = re.compile(r"[-+]?(0[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_SHOWN = 80


class _StrictLoader(yaml.SafeLoader):
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        except _ESCAPING as error:
            problem = f"{node.value!r:.{_SHOWN}} is not what it looks like: {error}"
            raise ConstructorError(None, None, problem, node.start_mark) from error
        if node.tag in _NUMBERS and _OTHER_BASE.fullmatch(node.value):
            problem = (
                f"{node.value} would be read as {value}: quote it, or write {value}"
            )
            raise ConstructorError(None, None, problem, node.start_mark)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            problem = ""
            if not isinstance(key, str):
                written = getattr(key_node, "value", key)
                problem = (
                    f"a key must be text, quote it: {written!r} is read as {key!r}"
                )
            elif key in seen:
                problem = f"the key '{key}' is given twice"
            if problem:
                raise ConstructorError(None, None, problem, key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)
