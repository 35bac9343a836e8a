"""The list of a version's files, by which a server knows that it has all of them.

assets.extra/version_files.json holds size and checksum of every other file of the
version, and is written last. A folder is copied in any order, so a mark in
`saved_model.pb` tells that there is to be a list.
"""

from __future__ import annotations

import os
import zlib
from typing import IO

FILE_LIST = os.path.join("assets.extra", "version_files.json")
# A collection of the graph, which TensorFlow's loaders pass over.
LISTED_MARK = "version_files_are_listed"
_BLOCK_BYTES = 1 << 20


def checksum(file: IO[bytes]) -> tuple[int, str]:
    """Size in bytes and CRC-32, as eight hexadecimal digits, of what a file holds."""
    size = crc32 = 0
    while block := file.read(_BLOCK_BYTES):
        size += len(block)
        crc32 = zlib.crc32(block, crc32)
    return size, f"{crc32:08x}"
