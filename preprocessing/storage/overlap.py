"""Whether what is written would lie in what is read, or the other way round.

A log's folder is read with all that is in it, so an output there would be part of the
next run's log; and what is replaced must not be what the run starts from.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from preprocessing.storage.files import SourceError, is_remote, list_files, local_path


class OverlapError(ValueError):
    """Places that must lie apart and do not; the message names both."""


class Place(NamedTuple):
    """What a user named, and what of it is read or written.

    Attributes:
        option: How the user named it, such as "--out".
        given: The path or URI as it was given.
        parts: Paths or URIs of what is read or written there.
    """

    option: str
    given: str
    parts: tuple[str, ...]


def whole(option: str, given: str) -> Place:
    """A place that is read or written as a whole."""
    return Place(option, given, (given,))


def log_place(option: str, data_dir: str) -> Place:
    """A log's folder or file, and what links in the folder lead to.

    Args:
        option: How the user named it.
        data_dir: A path or a URI; may be missing.
    """
    return Place(option, data_dir, (data_dir, *_linked(data_dir)))


def check_apart(written: Place, read: Place) -> None:
    """Checks that nothing written lies in what is read, nor the other way round.

    Links, `..` and `file://` are resolved; of other URIs only the text is compared.

    Args:
        written: What is written.
        read: What is read.

    Raises:
        OverlapError: They overlap.
    """
    for target in written.parts:
        for source in read.parts:
            if lies_in(target, source):
                raise OverlapError(
                    f"{written.option} {written.given}: {target} would be written into "
                    f"what {read.option} {read.given} reads. Give another "
                    f"{written.option}, outside of it"
                )
            if lies_in(source, target):
                raise OverlapError(
                    f"{written.option} {written.given}: {target} would be written "
                    f"where {read.option} {read.given} lies, which is read. Give "
                    f"another {written.option}"
                )


def lies_in(inner: str, outer: str) -> bool:
    """Whether a place is another one, or lies in it; both are paths or URIs."""
    if is_remote(inner) or is_remote(outer):
        if not (is_remote(inner) and is_remote(outer)):
            return False
        folder, place = _normal_uri(outer), _normal_uri(inner)
        return place == folder or place.startswith(f"{folder}/")
    folders = {key for path in _real_paths(outer) for key in _keys(path)}
    return any(
        key in folders
        for path in _real_paths(inner)
        for folder in (path, *PurePosixPath(path).parents)
        for key in _keys(str(folder))
    )


def _normal_uri(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme.lower()}://{posixpath.normpath(rest)}"


def _real_paths(path: str) -> set[str]:
    """Without links. `link/..` means one thing to Python and another to the system."""
    place = local_path(path)
    as_given = path if "://" not in path else place
    return {os.path.realpath(place), os.path.realpath(as_given)}


def _keys(path: str) -> Iterator[object]:
    """What a path is known by: a folder may be mounted under two paths."""
    yield path
    try:
        status = os.stat(path)
    except OSError:
        return
    yield status.st_dev, status.st_ino


def _linked(data_dir: str) -> list[str]:
    if is_remote(data_dir):
        return []
    root = local_path(data_dir)
    try:
        names = list_files(root) or []
    except SourceError:  # whoever reads it says so
        return []
    files = {os.path.join(root, name) for name in names if name}
    links = {path for path in files if os.path.islink(path)}
    real = {os.path.realpath(place) for place in {*map(os.path.dirname, files), *links}}
    return sorted(place for place in real if not lies_in(place, root))
