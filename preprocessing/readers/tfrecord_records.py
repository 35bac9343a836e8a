"""The records of a TFRecord file, all of them or an error.

TensorFlow takes a file that ends inside a record's header, or a GZIP file that ends
inside a block, for a whole one. Here the records must add up to the file.
"""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Iterator

import numpy as np

from preprocessing.storage.file_kinds import seems_to_be
from preprocessing.storage.files import SourceError

_GZIP_BEGINS = b"\x1f\x8b\x08"
_FRAME_BYTES = 16  # length, its checksum, and the record's checksum
_BLOCK_BYTES = 1 << 20


def record_batches(path: str, name: str, batch_records: int) -> Iterator[np.ndarray]:
    """Reads a file to its end.

    Args:
        path: A file of this machine, GZIP-compressed or not: its content tells.
        name: What messages call it.
        batch_records: How many records to read at a time.

    Yields:
        Records as bytes, object [records].

    Raises:
        SourceError: The file is cut short or damaged, or no TFRecord file. Records
            that lie before may have been read.
    """
    import tensorflow as tf

    zipped = _is_gzip(path)
    records = tf.data.TFRecordDataset(path, compression_type="GZIP" if zipped else "")
    whole = 0
    try:
        for batch in records.batch(batch_records).as_numpy_iterator():
            yield batch
            whole += sum(map(len, batch)) + _FRAME_BYTES * len(batch)
        size = _unzipped_bytes(path) if zipped else os.path.getsize(path)
    except tf.errors.DataLossError as error:
        raise _damaged(path, name, _position(str(error))) from error
    except (tf.errors.OpError, OSError, EOFError, zlib.error) as error:
        place = "its compressed data" if zipped else f"after {whole:,} bytes it"
        raise _damaged(path, name, place, f": {error}") from error
    if size != whole:
        raise _damaged(path, name, f"the record at byte {whole:,}")


def _is_gzip(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(len(_GZIP_BEGINS)) == _GZIP_BEGINS


def _unzipped_bytes(path: str) -> int:
    """How many bytes are compressed; fails where the file ends before they do."""
    with gzip.open(path) as file:
        return sum(map(len, iter(lambda: file.read(_BLOCK_BYTES), b"")))


def _position(message: str) -> str:
    found = re.search(r"record at (\d+)", message)
    return f"the record at byte {int(found[1]):,}" if found else "its compressed data"


def _damaged(path: str, name: str, place: str, why: str = "") -> SourceError:
    kind = seems_to_be(path, "gzip data", "a TFRecord file")
    return SourceError(
        f"{name} is no whole TFRecord file: {place} is cut short or damaged{kind}{why}"
    )
