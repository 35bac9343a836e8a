"""A list of a table's files, by which a reader knows that it has all of them.

Whoever writes Parquet files lists them last; whoever reads them compares. A copy or a
sync that missed a file, cut one short or mixed two tables is found before it is used.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

import pyarrow as pa

from preprocessing.storage.files import join, open_file
from preprocessing.storage.parquet import open_parquet

_BLOCK_BYTES = 1 << 20
_AT_A_TIME = 8
_NAMED = 5


class ListedFile(TypedDict, total=False):
    """What is noted of a file.

    Attributes:
        rows: Of its table.
        bytes: Its size.
        crc32: Checksum of its content, eight hexadecimal digits; may be left out.
    """

    rows: int
    bytes: int
    crc32: str


FileList = Mapping[str, ListedFile]


def list_parquet_files(
    folder: str, names: Iterable[str], checksums: bool
) -> dict[str, ListedFile]:
    """Describes Parquet files that are all written.

    Args:
        folder: A path or a URI.
        names: Of the files, relative to it.
        checksums: Whether to read each file once for its checksum.

    Returns:
        The files by name, in the order of names.
    """

    def describe(name: str) -> ListedFile:
        path = join(folder, name)
        with open_parquet(path) as parquet:
            rows = parquet.metadata.num_rows
        size, crc32 = _measure(path, checksums)
        listed = ListedFile(rows=rows, bytes=size)
        if checksums:
            listed["crc32"] = crc32
        return listed

    ordered = sorted(names)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return dict(zip(ordered, pool.map(describe, ordered), strict=True))


def parse_file_list(values: Any) -> dict[str, ListedFile]:
    """Reads a list from JSON.

    Raises:
        ValueError: It is no list of files.
    """
    if not isinstance(values, dict):
        raise ValueError(f"expected files by name. Received: {values!r:.80}")
    for name, listed in values.items():
        if not (
            isinstance(listed, dict)
            and isinstance(listed.get("rows"), int)
            and isinstance(listed.get("bytes"), int)
            and isinstance(listed.get("crc32", ""), str)
        ):
            raise ValueError(f"expected rows and bytes of {name}. Received: {listed!r}")
    return values


def name_problems(listed: FileList, found: Iterable[str]) -> list[str]:
    """Which files are missing, and which are not on the list.

    Args:
        listed: The list.
        found: Names of the files that are there, relative to the list's folder.
    """
    there = set(found)
    return [
        *(f"{name} is missing" for name in sorted(listed.keys() - there)),
        *(f"{name} is not on the list" for name in sorted(there - listed.keys())),
    ]


def content_problems(folder: str, listed: FileList) -> list[str]:
    """Which files have another size or checksum than the list says.

    Args:
        folder: A path or a URI.
        listed: Files that are there.
    """
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        problems = pool.map(
            lambda name: _problem(join(folder, name), name, listed[name]),
            sorted(listed),
        )
        return [problem for problem in problems if problem]


def in_one_line(problems: list[str]) -> str:
    """The first problems, and how many more there are."""
    more = len(problems) - _NAMED
    shown = "; ".join(problems[:_NAMED])
    return f"{shown}; and {more} more" if more > 0 else shown


def _problem(path: str, name: str, listed: ListedFile) -> str:
    expected = listed["bytes"]
    try:
        with open_file(path) as file:
            size = file.size()
        if size != expected:
            return f"{name} has {size:,} bytes instead of {expected:,}"
        if "crc32" in listed and _measure(path, True)[1] != listed["crc32"]:
            return f"{name} has another content than when it was written"
    except (OSError, pa.ArrowException) as error:
        return f"{name} cannot be read: {error}"
    return ""


def _measure(path: str, checksum: bool) -> tuple[int, str]:
    """Bytes, and the checksum if it is asked for."""
    with open_file(path) as file:
        size = file.size()
        crc32 = 0
        while checksum and (block := file.read(_BLOCK_BYTES)):
            crc32 = zlib.crc32(block, crc32)
    return size, f"{crc32:08x}"
