"""Writes examples as gzipped TFRecord files, in bulk and in an order that is known.

Threads hand over blocks of examples as they come to them. A block holds all examples of
some users, and a training that met these together would mix nothing but them. Each
block's examples of a part of a split are therefore dealt at random to pieces on disk,
each with a random place in the part; in the end the pieces are put together by these
places, cut into files between two of them. All of it is a function of the blocks:
neither threads nor the number of files change the order.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import tensorflow as tf

from pipeline.examples.split_parts import Assigned, Part
from preprocessing.datasets.tf_examples import encode_examples

_ROWS_AT_A_TIME = 1 << 12
# Of a block's examples, which then become pieces, and of those of all threads: others
# wait. It must not be a share of what all may hold, which would be another order with
# every number of threads.
_HELD_BYTES, _ALL_HELD_BYTES = 1 << 26, 1 << 30
_LEAST_ROWS = 1 << 11  # of a file; a part with fewer has one
_PIECES, _LEAST_IN_PIECE = 16, 128  # of a block's examples of a part
# Level 1 takes half the time of the default and a fifth more room.
_GZIP = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)


class SplitFiles:
    """The files of an examples artifact while they are written.

    Args:
        spill_dir: An empty folder on the disk of the files.
        files: Files for each part, at most; those with few rows have fewer.
    """

    def __init__(self, spill_dir: Path, files: int):
        self._spill_dir = spill_dir
        self._files = files
        self._lock = threading.Lock()
        self._encoding = threading.Semaphore(max(1, _ALL_HELD_BYTES // _HELD_BYTES))
        self._pieces: dict[Part, list[_Piece]] = defaultdict(list)

    def add(self, block: int, table: pa.Table, assigned: Assigned) -> None:
        """Encodes a block of the feature table; any number of threads may call it.

        Args:
            block: The block's place in the order; each once.
            table: The block's rows.
            assigned: Where they belong.
        """
        used = assigned.numbers >= 0
        numbers = assigned.numbers[used]
        if not used.all():
            table = table.filter(pa.array(used))
        with self._encoding:
            self._encode(block, table, numbers, assigned.parts)

    def _encode(
        self, block: int, table: pa.Table, numbers: np.ndarray, parts: Sequence[Part]
    ) -> None:
        held: dict[Part, list[bytes]] = defaultdict(list)
        size = number = 0
        for start in range(0, table.num_rows, _ROWS_AT_A_TIME):
            examples = encode_examples(table.slice(start, _ROWS_AT_A_TIME))
            size += sum(map(len, examples))
            of_rows = numbers[start : start + _ROWS_AT_A_TIME]
            for index in np.unique(of_rows).tolist():
                rows = np.flatnonzero(of_rows == index).tolist()
                held[parts[index]] += [examples[row] for row in rows]
            if size >= _HELD_BYTES:
                self._write_pieces(block, number, held)
                held.clear()
                size, number = 0, number + 1
        self._write_pieces(block, number, held)

    def finish(self, folders: Mapping[str, Path]) -> Counter[Part]:
        """Puts the pieces together; they are gone afterwards.

        Args:
            folders: The folder of each split; made if it is missing.

        Returns:
            Rows of each part that has some.
        """
        joins = []
        for part, pieces in self._pieces.items():
            folder = folders[part.split]
            of_files = _divided(sorted(pieces), self._files)
            for number, chosen in enumerate(of_files):
                target = folder / part.file_name(number, len(of_files))
                joins.append(partial(_join, [piece.path for piece in chosen], target))
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(self._files) as pool:
            for future in [pool.submit(join) for join in joins]:
                future.result()
        return Counter(
            {part: sum(piece.rows for piece in of) for part, of in self._pieces.items()}
        )

    def _write_pieces(
        self, block: int, number: int, held: Mapping[Part, Sequence[bytes]]
    ) -> None:
        for part, examples in held.items():
            day = (part.day or 0) & 0xFFFFFFFF  # seeds are not negative
            random = np.random.default_rng([block, number, day])
            order = random.permutation(len(examples))
            count = min(_PIECES, -(-len(examples) // _LEAST_IN_PIECE))
            places = (np.arange(count) + random.random(count)) / count
            for at, rows in zip(
                places.tolist(), np.array_split(order, count), strict=True
            ):
                name = f"{part.split}-{part.day}-{block}-{number}-{at}"
                path = self._spill_dir / name
                with tf.io.TFRecordWriter(str(path), _GZIP) as writer:
                    for row in rows.tolist():
                        writer.write(examples[row])
                with self._lock:
                    piece = _Piece(at, block, number, len(rows), path)
                    self._pieces[part].append(piece)


class _Piece(NamedTuple):
    """Some examples of a block.

    Attributes:
        place: Of the piece in its part, in [0, 1).
        block: The block's number.
        number: Of several times that the block was written.
        rows: How many examples.
        path: Their file.
    """

    place: float
    block: int
    number: int
    rows: int
    path: Path


def _divided(pieces: list[_Piece], most: int) -> list[list[_Piece]]:
    """Runs of whole pieces, about equally long; at most so many."""
    ends = np.cumsum([piece.rows for piece in pieces])
    files = min(most, len(pieces), max(1, int(ends[-1]) // _LEAST_ROWS))
    middles = ends - np.array([piece.rows for piece in pieces]) / 2
    of_file = np.minimum(middles * files // ends[-1], files - 1).astype(int)
    runs = [
        [piece for piece, at in zip(pieces, of_file, strict=True) if at == file]
        for file in range(files)
    ]
    return [run for run in runs if run]


def _join(pieces: Iterable[Path], target: Path) -> None:
    """Gzip files one after the other are a gzip file."""
    with open(target, "wb") as joined:
        for path in pieces:
            with open(path, "rb") as piece:
                shutil.copyfileobj(piece, joined, 1 << 20)
            os.unlink(path)
