"""How the files of a log are called that is no data set's official files."""

from __future__ import annotations

from preprocessing.contract.source_config import SourceConfig

PATTERNS = {
    "parquet": "*.parquet",
    "csv": "*.csv",
    "tfrecord": "*.tfrecord*",
    "avro": "*.avro",
    "orc": "*.orc",
}


def file_patterns(source: SourceConfig) -> tuple[str, ...]:
    """The patterns of the files that are read.

    Args:
        source: Of a format in `PATTERNS`.
    """
    return source.files or (PATTERNS[source.format],)
