"""Ids as small integers, so that many rows of them fit into memory."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class IdCodes:
    """Numbers ids in the order in which they first come: 0, 1, 2, ..."""

    def __init__(self) -> None:
        self._codes: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._codes)

    def encode(self, ids: Iterable[bytes]) -> np.ndarray:
        """The number of each id, int32 [ids]; new ids get the next numbers."""
        codes = self._codes
        return np.fromiter((codes.setdefault(id_, len(codes)) for id_ in ids), np.int32)

    @property
    def ids(self) -> list[bytes]:
        """The ids by number."""
        return list(self._codes)
