"""Options and errors of the commands that look users up by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import PLACE, config_option, read_config

if TYPE_CHECKING:
    from pipeline.config import RunConfig
    from preprocessing.contract.config import FeatureConfig
    from preprocessing.storage.overlap import Place
    from serving.online.user_store import UserStore

model_config_option = config_option(
    "YAML configuration of the model; its section features is read."
)
state_option = click.option(
    "--state",
    "state_dir",
    type=PLACE,
    help="State of a run: the --out folder of poso features, or the folder that poso "
    "run prints as state.",
)


def store_option(required: bool) -> Callable[[Any], Any]:
    """`--store`, as `place`: a storage that is used with or without a state."""
    return click.option(
        "--store",
        "place",
        type=PLACE,
        required=required,
        metavar="FILE|URL",
        help="Where observed impressions and loaded states are kept: an SQLite file, "
        "or redis://HOST:PORT/DB?prefix=NAME.",
    )


def read_features(config_file: Path | None) -> FeatureConfig:
    """The section `features` of a configuration file."""
    return read_model_config(config_file).features


def read_model_config(config_file: Path | None) -> RunConfig:
    """The configuration of `--config`, which must be given here."""
    if config_file is None:
        raise click.UsageError("Missing option '--config', the model's configuration")
    return read_config(config_file)


@contextmanager
def report_errors() -> Iterator[None]:
    """Reports what can go wrong with stores, files and servers in one line."""
    from serving.protocol.errors import ServingError

    try:
        yield
    except (ServingError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def state_place(option: str, state_dir: str) -> Place:
    """Where a state lies that is read.

    Args:
        option: How the user named it.
        state_dir: As for `state.files.open_state`.

    Raises:
        StateError: There is no state.
    """
    from preprocessing.state.files import find_state
    from preprocessing.storage.overlap import Place

    return Place(option, state_dir, (find_state(state_dir),))


def open_store(
    state_dir: str | None,
    place: str | None,
    config: FeatureConfig,
    *read: Place,
    make: bool = True,
) -> UserStore:
    """A user store on a state, a storage, or both.

    Args:
        state_dir: The state, or None.
        place: The storage, or None.
        config: The feature configuration.
        read: What else is read: the storage must not lie in it.
        make: Whether to make a file of a storage that is not there.

    Raises:
        OverlapError: The storage lies in what is read.
        FileNotFoundError: There is no such file.
        ValueError, ServingError: The state or the storage cannot be used.
    """
    from preprocessing.storage.overlap import check_apart, whole
    from serving.online.storage_choice import open_storage
    from serving.online.user_store import UserStore

    if state_dir is not None:
        read = (*read, state_place("--state", state_dir))
    if place is not None and "://" not in place:
        for other in read:
            check_apart(whole("--store", place), other)
        if not make and not Path(place).is_file():
            raise FileNotFoundError(
                f"there is no store at --store {place}: `poso users` makes one"
            )
    if place is None:
        return UserStore(state_dir, config)
    with ExitStack() as unless_ready:
        storage = unless_ready.enter_context(closing(open_storage(place)))
        store = UserStore(state_dir, config, storage)
        unless_ready.pop_all()
        return store
