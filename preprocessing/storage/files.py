"""Files by path or URI: local ones directly, `s3://`, `gs://` and the like by a store.

The stores are in `storage.remote`; they are imported only for a URI: a local run need
not wait for them.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import shutil
import stat
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from preprocessing.storage.store import Store

_LOCAL_SCHEME = "file://"


class SourceError(ValueError):
    """Input files that cannot be used; the message names file and column."""


class DataFile(NamedTuple):
    """A file: where to open it, and its name relative to the folder it was found in."""

    path: str
    name: str


def find_files(data_dir: str, *patterns: str, required: bool = True) -> list[DataFile]:
    """Files of a folder and the folders in it whose names match, sorted by name.

    Files and folders whose names begin with "." or "_" are left out. A single file may
    stand for the folder. Capitals make no difference: "LOG.CSV" matches "*.csv".

    Args:
        data_dir: Folder or file; a path or a URI.
        patterns: Shell patterns: of the last part of the name, such as "*.parquet", or,
            with a "/", of the whole name below the folder, such as "2022*/*.csv", where
            "*" may stand for folders, too.
        required: Whether it is an error that nothing matches.

    Raises:
        SourceError: There is no such folder, or nothing in it matches; the message
            names what was looked for and what is there. Or a name is not UTF-8.
    """
    names = list_files(data_dir)
    if names is None:
        raise SourceError(f"there is no file or folder {data_dir}")
    if names == [""]:
        name = posixpath.basename(data_dir.rstrip("/"))
        if not _matches(name, patterns):
            raise SourceError(
                f"expected a folder with {' or '.join(patterns)}, or such a file. "
                f"Received the file {data_dir}"
            )
        return [DataFile(data_dir, name)]
    hidden = (".", "_")
    visible = [n for n in names if not any(p.startswith(hidden) for p in n.split("/"))]
    matching = sorted(n for n in visible if _matches(n, patterns))
    if required and not matching:
        there = ", ".join(map(shown_name, sorted(visible)[:8]))
        if not visible:
            there = "names that begin with . or _ only" if names else "no files"
        wanted = " or ".join(patterns)
        raise SourceError(f"no {wanted} in {data_dir}. Received: {there}")
    for name in matching:
        if not name.isascii() and any("\ud800" <= c <= "\udfff" for c in name):
            place = shown_name(join(data_dir, name))
            raise SourceError(f"the name of {place} is not UTF-8: rename it")
    return [DataFile(join(data_dir, name), name) for name in matching]


def shown_name(name: str) -> str:
    """A name in one line that any terminal takes: what is not printable is escaped."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)


def only_file(data_dir: str, pattern: str) -> DataFile:
    """The one file of a folder whose name matches.

    Raises:
        SourceError: There is none, or more than one.
    """
    files = find_files(data_dir, pattern)
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise SourceError(f"expected one {pattern} in {data_dir}. Received: {names}")
    return files[0]


def list_files(place: str) -> list[str] | None:
    """Names of all files below a folder, relative to it; links are followed.

    Returns:
        `[""]` if the place is a file, `[]` for an empty folder, None if there is
        nothing. Object stores have no empty folders.

    Raises:
        SourceError: A folder in it cannot be listed, or links lead in a circle.
    """
    if is_remote(place):
        return [file.name for file in _store_of(place).find(place)] or None
    root = local_path(place)
    if os.path.isfile(root):
        return [""]
    if not os.path.isdir(root):
        return None
    return list(_list_local(root))


def open_file(path: str) -> pa.NativeFile:
    """Opens a file for reading, with random access; a path or a URI.

    Raises:
        OSError: There is none, it may not be read, or it is a pipe or a device, at
            which a reader would wait for ever.
    """
    if is_remote(path):
        return _store_of(path).open(path)
    if not stat.S_ISREG(os.stat(local_path(path)).st_mode):
        raise OSError(f"{path} is no regular file")
    return pa.OSFile(local_path(path), mode="r")


def create_file(path: str) -> IO[bytes]:
    """Opens a file for writing, with the folders it is in; a path or a URI."""
    if is_remote(path):
        return _store_of(path).create(path)
    place = local_path(path)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    return open(place, "wb")


def read_text(path: str) -> str:
    """The text of a small UTF-8 file; a path or a URI."""
    with open_file(path) as file:
        return file.read().decode("utf-8")


def write_text(path: str, text: str) -> None:
    """Writes a small UTF-8 file; a path or a URI."""
    with create_file(path) as file:
        file.write(text.encode("utf-8"))


def is_file(path: str) -> bool:
    """Whether there is a file of this name; a path or a URI."""
    return list_files(path) == [""]


def remove_tree(place: str) -> None:
    """Removes a file, or a folder with all in it; nothing if there is none."""
    if not is_remote(place):
        root = local_path(place)
        if os.path.isdir(root):
            shutil.rmtree(root)
        elif os.path.exists(root):
            os.unlink(root)
        return
    names = list_files(place) or []
    if names:
        _store_of(place).delete([join(place, n) if n else place for n in names])


def move_tree(source: str, target: str, last: str) -> None:
    """Moves a folder to a place where nothing is.

    On this machine at once; in an object store file by file, files of the name `last`
    after all others.
    """
    if not is_remote(source):
        os.rename(local_path(source), local_path(target))
        return
    names = list_files(source) or []
    names.sort(key=lambda name: posixpath.basename(name) == last)
    _store_of(source).rename(
        [join(source, name) for name in names], [join(target, name) for name in names]
    )


def check_writable(uri: str) -> None:
    """Writes a small file below a URI and removes it.

    Raises:
        OSError: The store refuses it.
    """
    trial = join(uri, "may-be-written")
    write_text(trial, "")
    remove_tree(trial)


def is_remote(path: str) -> bool:
    """Whether a path is a URI of something else than this machine's disk."""
    return "://" in path and not path.startswith(_LOCAL_SCHEME)


def local_path(path: str) -> str:
    """The absolute path of a local path or `file://` URI."""
    return os.path.abspath(path.removeprefix(_LOCAL_SCHEME))


def join(folder: str, *names: str) -> str:
    """A path or URI below a folder; an empty one is the working folder."""
    return "/".join([folder.rstrip("/") if folder else ".", *names])


def _matches(name: str, patterns: Sequence[str]) -> bool:
    for pattern in (given.lower().removeprefix("**/") for given in patterns):
        part = name if "/" in pattern else posixpath.basename(name)
        if fnmatch.fnmatchcase(part.lower(), pattern):
            return True
    return False


def _list_local(root: str, above: tuple[str, ...] = ()) -> Iterator[str]:
    """Names below a folder; `above` are the real paths of the folders it lies in."""
    real = os.path.realpath(root)
    if real in above:
        raise SourceError(f"the link {root} leads to a folder that it lies in itself")
    try:
        with os.scandir(root) as entries:
            found = [(entry.name, entry.is_dir()) for entry in entries]
    except OSError as error:
        raise SourceError(f"the folder {root} cannot be listed: {error}") from error
    for name, is_folder in found:
        if is_folder:
            below = _list_local(os.path.join(root, name), (*above, real))
            yield from (os.path.join(name, inner) for inner in below)
        else:
            yield name


def _store_of(place: str) -> Store:
    from preprocessing.storage.remote import store_of

    return store_of(place)
