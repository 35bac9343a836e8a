"""Output folders, looked at before any work: what cannot be used is one line."""

from __future__ import annotations

import click


def check_replaceable_output(out: str) -> None:
    """Checks that `poso features` would replace nothing but its own earlier output.

    Raises:
        click.ClickException: It would; the message names the file in the way.
    """
    from preprocessing.engine.earlier_output import OutputFolderError, check_replaceable
    from preprocessing.storage.files import SourceError

    try:
        check_replaceable(out)
    except (OutputFolderError, SourceError) as error:
        raise click.ClickException(f"--out {out}: {error}") from error
