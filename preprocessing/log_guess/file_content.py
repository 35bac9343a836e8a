"""What a file holds, by its content: its format, and how it is compressed."""

from __future__ import annotations

import re
from typing import NamedTuple

import pyarrow as pa

from preprocessing.storage.file_kinds import EMPTY, TEXT, UTF16, content_kind
from preprocessing.storage.files import DataFile, SourceError, open_file

_BEGIN_BYTES = 4096
# By magic number: Arrow's name of the compression.
_COMPRESSIONS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bz2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
)
# A record's length, 8 bytes with the smallest first, its checksum, an Example.
_TFRECORD = re.compile(rb".{4}\x00{4}.{4}\x0a", re.DOTALL)


class FileContent(NamedTuple):
    """What a file seems to hold.

    Attributes:
        format: parquet, tfrecord or csv (any text in lines); "" for what is not read.
        compression: Of the file as a whole: gzip, bz2, zstd, lz4 or "".
        kind: A few words for messages, such as "JSON".
    """

    format: str
    compression: str
    kind: str


def file_content(file: DataFile) -> FileContent:
    """Looks at a file's first bytes.

    Raises:
        SourceError: The file cannot be read.
    """
    try:
        with open_file(file.path) as opened:
            begin = opened.read(_BEGIN_BYTES)
        compression = _compression(begin)
        if compression:
            with open_bytes(file, compression) as unpacked:
                begin = unpacked.read(_BEGIN_BYTES)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{file.name} cannot be read: {error}") from error
    kind = content_kind(begin[:512])
    if begin.startswith((b"PAR1", b"PARE")):
        return FileContent("" if compression else "parquet", compression, kind)
    if _TFRECORD.match(begin):
        known = compression in ("", "gzip")
        return FileContent("tfrecord" if known else "", compression, kind)
    # Hive's ^A between cells is no letter of a text, yet such a file is one.
    is_text = kind == TEXT or (b"\x01" in begin and b"\0" not in begin and not kind)
    return FileContent("csv" if is_text else "", compression, kind or "unknown data")


def open_bytes(file: DataFile, compression: str) -> pa.NativeFile:
    """Opens a file for reading, unpacked; without a compression with random access."""
    opened = open_file(file.path)
    return pa.CompressedInputStream(opened, compression) if compression else opened


def why_not_read(content: FileContent) -> str:
    """What is to be done with a file of a format that is not read."""
    if content.kind == EMPTY:
        return "it is empty"
    hints = {
        "JSON": "convert JSON lines once, e.g. pyarrow.parquet.write_table("
        "pyarrow.json.read_json(...), ...)",
        UTF16: "iconv -f UTF-16 -t UTF-8 converts it",
    }
    hint = hints.get(content.kind, "")
    if "ZIP" in content.kind or "archive" in content.kind:
        hint = "unpack it first"
    packed = f" in {content.compression}" if content.compression else ""
    return f"it seems to be {content.kind}{packed}" + (f": {hint}" if hint else "")


def _compression(begin: bytes) -> str:
    for magic, name in _COMPRESSIONS:
        if begin.startswith(magic):
            return name
    return ""
