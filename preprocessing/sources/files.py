"""Finding and opening input files, on this machine or behind a URI (`gs://`, `s3://`)."""

from __future__ import annotations

import fnmatch
import os
import posixpath
from typing import NamedTuple

import pyarrow as pa
from pyarrow import fs

from preprocessing.contract import SourceError


class DataFile(NamedTuple):
    """An input file: where to open it, and its name relative to the data folder."""

    path: str
    name: str


def find_files(data_dir: str, pattern: str, required: bool = True) -> list[DataFile]:
    """Files of a folder and the folders in it whose names match, sorted by name.

    Files and folders whose names begin with "." or "_" are left out. A single file may
    stand for the folder.

    Args:
        data_dir: Folder or file; a path or a URI.
        pattern: A shell pattern for the last part of the name, such as "*.parquet".
        required: Whether it is an error that nothing matches.

    Raises:
        SourceError: There is no such folder, or nothing in it matches; the message
            names what was looked for and what is there.
    """
    system, root = _file_system(data_dir)
    info = system.get_file_info(root)
    if info.type == fs.FileType.NotFound:
        raise SourceError(f"there is no file or folder {data_dir}")
    if info.type == fs.FileType.File:
        if not fnmatch.fnmatch(info.base_name, pattern):
            raise SourceError(
                f"expected a folder with {pattern}, or such a file. "
                f"Received the file {data_dir}"
            )
        return [DataFile(data_dir, info.base_name)]
    names = [
        posixpath.relpath(found.path, root)
        for found in system.get_file_info(fs.FileSelector(root, recursive=True))
        if found.is_file
    ]
    visible = [n for n in names if not any(p[0] in "._" for p in n.split("/"))]
    matching = sorted(
        n for n in visible if fnmatch.fnmatch(posixpath.basename(n), pattern)
    )
    if required and not matching:
        there = ", ".join(sorted(visible)[:8]) or "no files"
        raise SourceError(f"no {pattern} in {data_dir}. Received: {there}")
    return [DataFile(_join(data_dir, name), name) for name in matching]


def open_file(path: str) -> pa.NativeFile:
    """Opens a file for reading, with random access; a path or a URI."""
    system, place = _file_system(path)
    return system.open_input_file(place)


def open_stream(path: str) -> pa.NativeFile:
    """Opens a file for reading from its start; a path or a URI."""
    system, place = _file_system(path)
    return system.open_input_stream(place)


def _file_system(path: str) -> tuple[fs.FileSystem, str]:
    if "://" in path:
        return fs.FileSystem.from_uri(path)
    return fs.LocalFileSystem(), os.path.abspath(path)


def _join(data_dir: str, name: str) -> str:
    return f"{data_dir.rstrip('/')}/{name}"
