"""What every source of impressions offers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa

from preprocessing.readers.reader import FilePart as FilePart
from preprocessing.readers.reader import RawRows as RawRows


class Source(Protocol):
    """An impression log in some format."""

    def parts(self) -> list[FilePart]:
        """The input's parts; their columns have been checked.

        Raises:
            SourceError: Files are missing, broken, or lack a column.
        """

    def read(self, part: FilePart) -> Iterator[RawRows]:
        """The rows of one part.

        Raises:
            SourceError: The file cannot be read to its end.
        """

    def user_state(self) -> pa.Table | None:
        """What the source itself tells of users before the log.

        Returns:
            By `state.schema.USER_STATE_SCHEMA`; None if it tells nothing.

        Raises:
            SourceError: The file that tells it cannot be used.
        """
