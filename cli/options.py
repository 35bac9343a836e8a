"""Options that several commands take, and the configuration that they name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.config import RunConfig

Option = Callable[[Any], Any]


class _Place(click.ParamType):
    """A path or a URI. An empty one is a variable of the shell that is not set."""

    name = "text"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        return not_empty(self, value, param, ctx)


class _Path(click.Path):
    """A path of this machine; a URI would be taken for folders of a strange name."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        not_empty(self, value, param, ctx)
        if "://" in str(value):
            self.fail(f"it must be a path of this machine, not '{value}'", param, ctx)
        return super().convert(value, param, ctx)


def not_empty(kind: click.ParamType, value: Any, param: Any, ctx: Any) -> Any:
    """The value, unless it is an empty text or a scheme and nothing else."""
    if value == "":
        kind.fail("it is empty; a folder is '.', or has a name", param, ctx)
    if isinstance(value, str) and "://" in value and value.rstrip("/").endswith(":"):
        kind.fail(f"'{value}' names no bucket and no folder", param, ctx)
    return value


PLACE = _Place()
FILE = _Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = _Path(file_okay=False, path_type=Path)
NEW_FILE = _Path(dir_okay=False, path_type=Path)
DATE = click.DateTime(["%Y-%m-%d"])


def config_option(help: str, **settings: Any) -> Option:
    """`--config`, a file that exists, as `config_file`.

    Args:
        help: What the command reads in it.
        settings: Further settings of `click.option`.
    """
    return click.option("--config", "config_file", help=help, type=FILE, **settings)


def data_option(help: str, required: bool = True, **settings: Any) -> Option:
    """`--data`, as `data_dir`."""
    return click.option(
        "--data", "data_dir", help=help, required=required, type=PLACE, **settings
    )


def out_option(help: str, type: Any = FOLDER, **settings: Any) -> Option:
    """`--out`, a folder, as `out`."""
    return click.option("--out", help=help, type=type, **settings)


def set_option(example: str) -> Option:
    """`--set`, repeatable, as `overrides`.

    Args:
        example: A key and a value of the configuration, such as `training.epochs=3`.
    """
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help=f"Override one value, e.g. --set {example}. Repeatable.",
    )


def beam_option(what: str, example: str) -> Option:
    """`--beam-arg`, repeatable, as `beam_args`.

    Args:
        what: What the command does with the argument.
        example: An argument of Beam's.
    """
    return click.option(
        "--beam-arg",
        "beam_args",
        multiple=True,
        metavar="ARG",
        help=f"{what}, e.g. --beam-arg={example}. Repeatable.",
    )


def read_config(config_file: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """The configuration that `--config` and `--set` give.

    Raises:
        click.ClickException: It is wrong; the message says where.
    """
    from pipeline.config import ConfigError, load_config

    try:
        return load_config(config_file, overrides)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
