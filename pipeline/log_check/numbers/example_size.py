"""How large the examples of a log become, by a sample of them."""

from __future__ import annotations

import gzip
import threading

import numpy as np
import pyarrow as pa

from preprocessing.datasets.tf_examples import encode_examples

_ROWS_OF_A_BLOCK = 512
_GZIP_LEVEL = 1  # that of the examples' files


class ExampleSize:
    """Encodes some rows of each block, as a run encodes all of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.rows = 0
        self.bytes = 0

    def add(self, table: pa.Table) -> None:
        """Takes a block of the feature table."""
        count = min(_ROWS_OF_A_BLOCK, table.num_rows)
        if not count:
            return
        places = np.random.default_rng(count).choice(
            table.num_rows, count, replace=False
        )
        examples = encode_examples(table.take(pa.array(places)))
        size = len(gzip.compress(b"".join(examples), _GZIP_LEVEL))
        with self._lock:
            self.rows += count
            self.bytes += size

    @property
    def mean_bytes(self) -> float:
        """Bytes of an example in its gzipped file; 0 without any."""
        return self.bytes / self.rows if self.rows else 0.0
