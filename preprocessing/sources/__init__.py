"""Where impressions come from: files by configuration, or a data set's official ones.

A source lists parts of its input that can be read in parallel, and reads each as Arrow
tables under the contract's names. It may bring the users' state before the log.
"""

from __future__ import annotations

from collections.abc import Callable

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.mapped_names import check_mapped_names
from preprocessing.contract.source_config import SourceConfig
from preprocessing.readers.avro import AvroReader
from preprocessing.readers.csv import CsvReader
from preprocessing.readers.csv_dialect import CsvDialect
from preprocessing.readers.delta import DeltaReader
from preprocessing.readers.orc import OrcReader
from preprocessing.readers.parquet import ParquetReader
from preprocessing.readers.reader import TableReader
from preprocessing.readers.tfrecord import TFRecordReader
from preprocessing.sources.file_patterns import file_patterns
from preprocessing.sources.kuairand import KuaiRandSource
from preprocessing.sources.log_source import LogSource
from preprocessing.sources.movielens import MovieLensSource
from preprocessing.sources.source import FilePart, RawRows, Source

__all__ = ["FilePart", "RawRows", "Source", "open_reader", "open_source"]

_READERS: dict[str, Callable[[str, tuple[str, ...]], TableReader]] = {
    "parquet": ParquetReader,
    "tfrecord": TFRecordReader,
    "avro": AvroReader,
    "orc": OrcReader,
}
_DATA_SETS: dict[str, Callable[[str, FeatureConfig], Source]] = {
    "kuairand": KuaiRandSource,
    "movielens": MovieLensSource,
}


def open_source(source: SourceConfig, features: FeatureConfig, data_dir: str) -> Source:
    """The source that a configuration names; nothing is read yet.

    Args:
        source: Names the format, and how its columns become the contract's.
        features: Says which columns are needed.
        data_dir: Folder (or file) of the log: a path or a URI.

    Raises:
        ValueError: `source.columns` maps a column that no impression has.
    """
    if source.is_data_set:
        return _DATA_SETS[source.format](str(data_dir), features)
    check_mapped_names(source, features)
    return LogSource(open_reader(source, data_dir), source, features, str(data_dir))


def open_reader(source: SourceConfig, data_dir: str) -> TableReader:
    """The reader of a log's files, columns under the files' names.

    Args:
        source: Of a format that is no data set's.
        data_dir: Folder (or file) of the log: a path or a URI.
    """
    place = str(data_dir)
    if source.format == "delta":
        return DeltaReader(place, source.version)
    patterns = file_patterns(source)
    if source.format == "csv":
        dialect = CsvDialect(
            source.delimiter, source.header, source.quoting, source.compression
        )
        return CsvReader(place, patterns, dialect)
    return _READERS[source.format](place, patterns)
