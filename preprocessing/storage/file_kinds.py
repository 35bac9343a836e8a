"""What a file seems to be, by how it begins: for messages about a wrong file."""

from __future__ import annotations

import re

from preprocessing.storage.files import open_file

_BEGIN_BYTES = 512
EMPTY, TEXT, UTF16 = "empty", "text", "UTF-16 text"

# How files begin that are text.
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (rb"(?:\xef\xbb\xbf)?\s*<", "HTML or XML"),
    (rb"(?:\xef\xbb\xbf)?\s*[{\[]\s*[\"{\[}\]]", "JSON"),
    (rb"version https://git-lfs", "a pointer of Git LFS, not the file itself"),
)
# How others begin: they have bytes that no text has.
_BINARIES: tuple[tuple[bytes, str], ...] = (
    (rb"PAR1|PARE", "a Parquet file"),
    (rb"\x1f\x8b", "gzip data"),
    (rb"PK\x03\x04|PK\x05\x06", "a ZIP archive, as Excel's .xlsx files are"),
    (rb"\x28\xb5\x2f\xfd", "Zstandard data"),
    (rb"BZh[1-9]", "bzip2 data"),
    (rb"\xfd7zXZ\x00", "xz data"),
    (rb"\x04\x22\x4d\x18", "LZ4 data"),
    (rb"\xff\x06\x00\x00sNaPpY", "Snappy data"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (rb"ORC", "an ORC file"),
    (rb"Obj\x01", "an Avro file"),
    (rb"ARROW1|FEA1", "an Arrow (Feather) file"),
    (rb"\xff\xff\xff\xff.{4}\x10\x00\x00\x00", "an Arrow stream"),
    (rb"SQLite format 3\x00", "an SQLite database"),
    (rb"\x89HDF", "an HDF5 file"),
    (rb"\x93NUMPY", "a NumPy array"),
    (rb"\x80[\x02-\x05]", "a Python pickle"),
    (rb"\xd0\xcf\x11\xe0", "a file of an old Excel"),
    (rb"%PDF", "a PDF"),
    (rb"SEQ[\x04-\x06]", "a Hadoop sequence file"),
    (rb".{257}ustar", "a tar archive"),
    # A record's length, 8 bytes with the smallest first, its checksum, an Example.
    (rb".{4}\x00{4}.{4}\x0a", "a TFRecord file"),
    (rb"(?:[\x20-\x7e]\x00){4}|(?:\x00[\x20-\x7e]){4}", UTF16),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TEXT = re.compile(rb"[^\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]*\Z")


def file_kind(path: str) -> str:
    """A few words about what a file seems to be.

    Args:
        path: A path or a URI.

    Returns:
        Such as "gzip data"; "" where nothing can be told.

    Raises:
        OSError: It cannot be read.
    """
    with open_file(path) as file:
        return content_kind(file.read(_BEGIN_BYTES))


def content_kind(begin: bytes) -> str:
    """`file_kind` of a file that begins with these bytes, some hundred at most."""
    if not begin:
        return EMPTY
    if not begin.strip(b"\0"):
        return "zeros, as a copy leaves them that was broken off"
    if begin.startswith(_UTF16):
        return UTF16
    is_text = bool(_TEXT.match(begin))
    for sign, kind in _TEXTS if is_text else _BINARIES:
        if re.match(sign, begin, re.DOTALL):
            return kind
    return TEXT if is_text else ""


def seems_to_be(path: str, *expected: str) -> str:
    """The end of a message about a file that cannot be read.

    Args:
        path: A path or a URI.
        expected: Kinds that are no news.

    Returns:
        Such as "; it seems to be gzip data"; "" where nothing can be told.
    """
    try:
        kind = file_kind(path)
    except OSError:
        return ""
    if not kind or kind in expected:
        return ""
    return "; it is empty" if kind == EMPTY else f"; it seems to be {kind}"
