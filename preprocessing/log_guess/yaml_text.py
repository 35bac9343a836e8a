"""A guess as YAML that a person can read, judge and change."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import jinja2
import yaml

from preprocessing.log_guess.guess import LogGuess

_WIDTH = 88


def yaml_text(guess: LogGuess, name: str, data: str, config: str) -> str:
    """The configuration of a guess, with the reason for each line above it.

    Args:
        guess: The configuration.
        name: Of the runs.
        data: `--data` as the commands in the first lines name it.
        config: `--config`, likewise.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("preprocessing.log_guess"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = flow
    environment.filters["comment"] = comment
    template = environment.get_template("config.yaml.jinja")
    text = template.render(guess=guess, name=name, data=data, config=config)
    return re.sub(r"\n{3,}", "\n\n", text)


def flow(value: Any) -> str:
    """A value in one line of YAML."""
    if isinstance(value, str):
        value = str(value)
    elif isinstance(value, dict):
        inner = ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items())
        return f"{{{inner}}}"
    elif isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    elif isinstance(value, float) and value == int(value):
        value = int(value)
    # In a mapping, since what may stand plainly there may do so anywhere.
    dumped = yaml.safe_dump(
        [value], default_flow_style=True, width=10**6, allow_unicode=True
    )
    return dumped.strip()[1:-1]


def comment(text: str, indent: int = 0, hanging: str = "") -> str:
    """A text as comment lines.

    Args:
        text: In one line or several.
        indent: Columns before the `#`.
        hanging: What further lines begin with.
    """
    begin = " " * indent + "# "
    plain = "".join(c if c.isprintable() else " " for c in text)
    return "\n".join(
        textwrap.wrap(
            plain,
            _WIDTH,
            initial_indent=begin,
            subsequent_indent=begin + hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
