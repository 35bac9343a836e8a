"""Rows from some places of a text file, however large it is."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from preprocessing.log_guess.text_layout import TextLayout, lines_of, split_lines
from preprocessing.storage.decompression import NONE, open_decompressed
from preprocessing.storage.files import DataFile, SourceError, open_file

_PIECE_BYTES = 1 << 18
_PIECES = 4
_UNPACKED_BYTES = 1 << 26  # of a compressed file, which has no random access


class TextPieces(NamedTuple):
    """Some of a file's lines.

    Attributes:
        texts: Whole lines from several places, in the file's order.
        bytes_read: Their bytes.
        total_bytes: Of the whole file, unpacked; of a compressed one an estimate.
        whole: Whether the pieces are all of the file.
        to_end: Whether its last lines are among them.
    """

    texts: list[str]
    bytes_read: int
    total_bytes: int
    whole: bool
    to_end: bool


def first_lines(file: DataFile, compression: str) -> str:
    """The whole lines among a file's first bytes.

    Raises:
        SourceError: The file cannot be read.
    """
    return read_pieces(file, compression, pieces=1).texts[0]


def read_pieces(file: DataFile, compression: str, pieces: int = _PIECES) -> TextPieces:
    """Reads lines from the beginning, the middle and the end of a file.

    Raises:
        SourceError: The file cannot be read.
    """
    try:
        if compression != NONE:
            return _of_stream(file, compression, pieces)
        return _of_places(file, pieces)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{file.name} cannot be read: {error}") from error


def text_rows(pieces: TextPieces, layout: TextLayout) -> list[list[str]]:
    """The pieces' rows that have as many cells as the layout says."""
    rows: list[list[str]] = []
    for place, text in enumerate(pieces.texts):
        lines = split_lines(lines_of(text), layout.delimiter, layout.quoting)
        if place == 0 and layout.header:
            next(lines, None)
        rows += (row for row in lines if len(row) == layout.cells)
    return rows


def _of_places(file: DataFile, pieces: int) -> TextPieces:
    with open_file(file.path) as opened:
        size = opened.size()
        if size <= _PIECE_BYTES * pieces:
            return TextPieces([_text(opened.read())], size, size, True, True)
        last = size - _PIECE_BYTES
        starts = [last * piece // max(pieces - 1, 1) for piece in range(pieces)]
        texts = []
        for start in starts:
            opened.seek(start)
            texts.append(_whole_lines(opened.read(_PIECE_BYTES), start > 0))
    read = len(starts) * _PIECE_BYTES
    return TextPieces(texts, read, size, False, pieces > 1)


def _of_stream(file: DataFile, compression: str, pieces: int) -> TextPieces:
    with open_file(file.path) as packed:
        packed_size = packed.size()
    blocks: list[bytes] = []
    bytes_seen = 0
    most = _UNPACKED_BYTES if pieces > 1 else _PIECE_BYTES
    with open_decompressed(file.path, compression) as opened:
        while bytes_seen < most and (block := opened.read(_PIECE_BYTES)):
            bytes_seen += len(block)
            blocks.append(block)
        ended = bytes_seen < most
    if ended and len(blocks) <= pieces:
        text = _text(b"".join(blocks))
        return TextPieces([text], bytes_seen, bytes_seen, True, True)
    count = min(pieces, len(blocks))
    chosen = sorted({(len(blocks) - 1) * n // max(count - 1, 1) for n in range(count)})
    texts = [_whole_lines(blocks[n], n > 0) for n in chosen]
    total = bytes_seen if ended else max(bytes_seen, packed_size * 4)
    read = sum(len(blocks[n]) for n in chosen)
    return TextPieces(texts, read, total, False, ended)


def _whole_lines(content: bytes, cut_begin: bool) -> str:
    """The lines of a piece without those that its ends cut."""
    begin = content.find(b"\n") + 1 if cut_begin else 0
    end = content.rfind(b"\n") + 1 or len(content)
    return _text(content[begin:end])


def _text(content: bytes) -> str:
    return content.decode("utf-8-sig", errors="replace")
