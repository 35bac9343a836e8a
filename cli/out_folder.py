"""Places that a command writes to, looked at before any work.

What cannot be used is one line, which names the option.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from preprocessing.storage.overlap import Place


def check_features_output(out: str, data_dir: str, state_dir: str | None) -> None:
    """Checks that `poso features` would replace nothing but its own earlier output.

    Raises:
        click.ClickException: It would, or its output would lie in what it reads.
    """
    from preprocessing.engine.earlier_output import check_replaceable
    from preprocessing.engine.output_folder import check_places

    with _one_line():
        check_places(out, data_dir, state_dir, ("--out", "--data", "--state"))
    with _one_line(f"--out {out}: "):
        check_replaceable(out)


def check_written_apart(written: Place, *read: Place) -> None:
    """Checks that nothing would be written into what is read, nor the other way round.

    Raises:
        click.ClickException: It would.
    """
    from preprocessing.storage.overlap import check_apart

    with _one_line():
        for place in read:
            check_apart(written, place)


@contextmanager
def _one_line(prefix: str = "") -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        raise click.ClickException(f"{prefix}{error}") from error
