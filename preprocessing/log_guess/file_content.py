"""What a file holds, by its content: its format, and how it is compressed."""

from __future__ import annotations

import re
from typing import NamedTuple

import pyarrow as pa

from preprocessing.storage.decompression import (
    NONE,
    compression_of,
    open_decompressed,
)
from preprocessing.storage.file_kinds import EMPTY, TEXT, UTF16, content_kind
from preprocessing.storage.files import DataFile, SourceError, open_file

_BEGIN_BYTES = 4096
# A record's length, 8 bytes with the smallest first, its checksum, an Example.
_TFRECORD = re.compile(rb".{4}\x00{4}.{4}\x0a", re.DOTALL)
_BY_HAND = "source.format: {} reads it, but nothing is guessed about it"


class FileContent(NamedTuple):
    """What a file seems to hold.

    Attributes:
        format: parquet, tfrecord or csv (any text in lines); "" for what is not read.
        compression: Of the file as a whole, as `storage.decompression` names it.
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
        compression = compression_of(begin)
        if compression != NONE:
            with open_decompressed(file.path, compression) as unpacked:
                begin = unpacked.read(_BEGIN_BYTES)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{file.name} cannot be read: {error}") from error
    kind = content_kind(begin[:512])
    if begin.startswith((b"PAR1", b"PARE")):
        plain = compression == NONE
        return FileContent("parquet" if plain else "", compression, kind)
    if _TFRECORD.match(begin):
        known = compression in (NONE, "gzip")
        return FileContent("tfrecord" if known else "", compression, kind)
    # Hive's ^A between cells is no letter of a text, yet such a file is one.
    is_text = kind == TEXT or (b"\x01" in begin and b"\0" not in begin and not kind)
    return FileContent("csv" if is_text else "", compression, kind or "unknown data")


def why_not_read(content: FileContent) -> str:
    """What is to be done with a file of a format that is not read."""
    if content.kind == EMPTY:
        return "it is empty"
    hints = {
        "JSON": "convert JSON lines once, e.g. pyarrow.parquet.write_table("
        "pyarrow.json.read_json(...), ...)",
        "an Avro file": _BY_HAND.format("avro"),
        "an ORC file": _BY_HAND.format("orc"),
        UTF16: "iconv -f UTF-16 -t UTF-8 converts it",
    }
    hint = hints.get(content.kind, "")
    if "ZIP" in content.kind or "archive" in content.kind:
        hint = "unpack it first"
    packed = "" if content.compression == NONE else f" in {content.compression}"
    return f"it seems to be {content.kind}{packed}" + (f": {hint}" if hint else "")
