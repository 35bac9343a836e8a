"""Where impressions come from: one module per format of `SourceConfig.format`.

A source lists parts of its input that can be read in parallel, and reads each as Arrow
tables under the contract's names. It may bring the users' state before the log.
"""

from __future__ import annotations

from collections.abc import Callable

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.sources.csv import CsvSource
from preprocessing.sources.kuairand import KuaiRandSource
from preprocessing.sources.movielens import MovieLensSource
from preprocessing.sources.parquet import ParquetSource
from preprocessing.sources.source import FilePart, RawRows, Source
from preprocessing.sources.tfrecord import TFRecordSource

__all__ = ["FilePart", "RawRows", "Source", "open_source"]

_CONTRACT: dict[str, Callable[[str, FeatureConfig, tuple[str, ...]], Source]] = {
    "parquet": ParquetSource,
    "csv": CsvSource,
    "tfrecord": TFRecordSource,
}
_DATA_SETS: dict[str, Callable[[str, FeatureConfig], Source]] = {
    "kuairand": KuaiRandSource,
    "movielens": MovieLensSource,
}


def open_source(source: SourceConfig, features: FeatureConfig, data_dir: str) -> Source:
    """The source that a configuration names; nothing is read yet.

    Args:
        source: Names the format, and which cells hold no value.
        features: Says which columns are needed.
        data_dir: Folder (or file) of the log: a path or a URI.
    """
    if source.format in _CONTRACT:
        made = _CONTRACT[source.format]
        return made(str(data_dir), features, source.null_values)
    return _DATA_SETS[source.format](str(data_dir), features)
