"""Compressed files, read as what they hold."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import pyarrow as pa

from preprocessing.storage.files import open_file

AUTO, NONE = "auto", "none"
# How files begin that are compressed in each way.
_BEGINS = {
    "gzip": rb"\x1f\x8b",
    "bz2": rb"BZh[1-9]1AY&SY",
    "xz": rb"\xfd7zXZ\x00",
    "zstd": rb"\x28\xb5\x2f\xfd",
    "lz4": rb"\x04\x22\x4d\x18",
}
_BEGIN_BYTES = 10
_OPENERS: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstd": lambda file: pa.CompressedInputStream(file, "zstd"),
    "lz4": lambda file: pa.CompressedInputStream(file, "lz4"),
}


@contextmanager
def open_decompressed(path: str, compression: str = AUTO) -> Iterator[IO[bytes]]:
    """Opens a file for reading from its beginning to its end.

    Args:
        path: A path or a URI.
        compression: One of gzip, bz2, xz, zstd and lz4, `none`, or `auto`: whichever
            the file begins like.

    Raises:
        OSError: There is no such file; or it is cut short or not compressed so, which
            may be found while it is read.
    """
    with open_file(path) as file:
        if compression == AUTO:
            compression = compression_of(file.read(_BEGIN_BYTES))
            file.seek(0)
        if compression == NONE:
            yield file
            return
        try:
            with _OPENERS[compression](file) as opened:
                yield opened
        except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
            raise OSError(
                f"its {compression} data is cut short or damaged: {error}"
            ) from error


def compression_of(begin: bytes) -> str:
    """How a file that begins with these bytes is compressed; `none` if it is not."""
    found = [kind for kind, sign in _BEGINS.items() if re.match(sign, begin)]
    return found[0] if found else NONE
