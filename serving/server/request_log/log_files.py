"""Files of records, one after the other, each whole before it has its name."""

from __future__ import annotations

import datetime
import os
import time
import uuid
from contextlib import suppress
from pathlib import Path

import tensorflow as tf

from serving.protocol.request_log_file import SUFFIX, UNFINISHED

# What a disk that is full, gone or not writable raises.
DISK_ERRORS = (OSError, tf.errors.OpError)
_FRAME_BYTES = 16  # around each record of a TFRecord file


class LogFiles:
    """Writes TFRecord files into a folder; of one thread.

    Args:
        folder: Where they go; it is made if it is not there.
        max_bytes: A file of this size is due to be finished.
        max_age_s: And one that was begun so many seconds ago.
    """

    def __init__(self, folder: str | Path, max_bytes: int, max_age_s: float):
        self._folder = str(folder)
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._writer: tf.io.TFRecordWriter | None = None
        self._path = ""
        self._due_at = 0.0
        self._bytes = self._records = 0

    @property
    def due_in_s(self) -> float | None:
        """Seconds until the open file is due by its age; None if none is open."""
        if self._writer is None:
            return None
        return max(self._due_at - time.monotonic(), 0.0)

    @property
    def is_due(self) -> bool:
        """Whether the open file has its size or age."""
        return self._writer is not None and (
            self._bytes >= self._max_bytes or time.monotonic() >= self._due_at
        )

    def write(self, record: bytes) -> None:
        """Adds a record to the open file, or to a new one.

        Raises:
            OSError: Or `tf.errors.OpError`, if the folder cannot be written to; then
                `abandon` the file.
        """
        if self._writer is None:
            self._writer = self._open()
        self._writer.write(record)
        self._bytes += len(record) + _FRAME_BYTES
        self._records += 1

    def finish(self) -> int:
        """Closes the open file and gives it its name.

        Returns:
            How many records it has; 0 if none is open.

        Raises:
            OSError: As `write`.
        """
        if self._writer is None:
            return 0
        self._writer.close()
        os.rename(self._path + UNFINISHED, self._path)
        self._writer = None
        return self._records

    def abandon(self) -> int:
        """Gives the open file up, after an error.

        Returns:
            How many records were in it.
        """
        if self._writer is None:
            return 0
        with suppress(*DISK_ERRORS):  # what went wrong is known already
            self._writer.close()
        with suppress(OSError):
            os.unlink(self._path + UNFINISHED)
        self._writer = None
        return self._records

    def _open(self) -> tf.io.TFRecordWriter:
        os.makedirs(self._folder, exist_ok=True)
        begun = datetime.datetime.now(datetime.timezone.utc)
        name = f"requests-{begun:%Y%m%dT%H%M%S.%f}Z-{uuid.uuid4().hex[:8]}{SUFFIX}"
        self._path = os.path.join(self._folder, name)
        self._due_at = time.monotonic() + self._max_age_s
        self._bytes = self._records = 0
        return tf.io.TFRecordWriter(self._path + UNFINISHED)
