"""A group of commands that imports none of them before it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Finds commands by name: each is called `command` in a module of its own.

    Args:
        summaries: A line on each command, by name, in the order of the help.
        module: Where a command is, with `{name}` in place of its name; dashes in names
            are underscores in modules.
        settings: As for `click.Group`.
    """

    def __init__(
        self,
        *args: Any,
        summaries: Mapping[str, str] | None = None,
        module: str = "",
        **settings: Any,
    ):
        super().__init__(*args, **settings)
        self._summaries = dict(summaries or {})
        self._module = module

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return list(self._summaries)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Imports a command; None where there is none of the name."""
        if name not in self._summaries:
            return None
        place = self._module.format(name=name.replace("-", "_"))
        return importlib.import_module(place).command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Writes the lines of the help without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._summaries.items()))
