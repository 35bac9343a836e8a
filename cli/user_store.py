"""What commands share that look users up by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from preprocessing.contract.config import FeatureConfig
    from serving.online.user_store import UserStore

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML configuration of the model; its section features is read.",
)
state_option = click.option(
    "--state",
    "state_dir",
    help="State of a run: the --out folder of poso features, or the folder that poso "
    "run prints as state.",
)


def store_option(required: bool) -> Callable[[Any], Any]:
    """`--store`, a storage beside the state."""
    return click.option(
        "--store",
        "place",
        required=required,
        metavar="FILE|URL",
        help="Where observed impressions and loaded states are kept: an SQLite file, "
        "or redis://HOST:PORT/DB?prefix=NAME.",
    )


def read_config(config_file: Path | None) -> FeatureConfig:
    """The section `features` of a configuration file."""
    from pipeline.config import ConfigError, load_config

    if config_file is None:
        raise click.UsageError("Missing option '--config', the model's configuration")
    try:
        return load_config(config_file).features
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def report_errors() -> Iterator[None]:
    """Turns what can go wrong with stores, files and servers into a line."""
    from serving.protocol.errors import ServingError

    try:
        yield
    except (ServingError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def open_store(
    state_dir: str | None, place: str | None, config: FeatureConfig
) -> UserStore:
    """A user store on a state, a storage, or both."""
    from serving.online.storage_choice import open_storage
    from serving.online.user_store import UserStore

    storage = None if place is None else open_storage(place)
    return UserStore(state_dir, config, storage)
