"""What is worth a dictionary and statistics in a written feature table."""

import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.checks.validation import validate
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.in_memory import compute_features
from preprocessing.storage.parquet import parquet_layout
from tests.helpers.log_rows import LABELS, impression, log_table

CONFIG = FeatureConfig(labels=LABELS)


def written_columns(table, path):
    """The written file's column chunks, by the path of their values."""
    with pq.ParquetWriter(path, table.schema, **parquet_layout(table.schema)) as writer:
        writer.write_table(table)
    group = pq.ParquetFile(path).metadata.row_group(0)
    chunks = [group.column(index) for index in range(group.num_columns)]
    return {chunk.path_in_schema: chunk for chunk in chunks}


def feature_rows():
    log = [impression(at=i, video=f"v{i % 3}") for i in range(50)]
    accepted = validate(log_table(log, CONFIG), "f", 0, CONFIG).accepted
    return compute_features([accepted], CONFIG).features


def test_texts_and_repeated_numbers_have_dictionaries(tmp_path):
    chunks = written_columns(feature_rows(), tmp_path / "f.parquet")
    with_dictionary = {n for n, c in chunks.items() if c.has_dictionary_page}
    for name in ("user_id", "is_like", "history_tags.list.item", "user_group"):
        assert name in with_dictionary
    for name in ("event_time_ms", "history_gap_ms.list.item", "video_age_hours"):
        assert name not in with_dictionary
    assert any(name.startswith("video_tags.") for name in with_dictionary)


def test_scalars_have_statistics_and_lists_have_none(tmp_path):
    chunks = written_columns(feature_rows(), tmp_path / "f.parquet")
    assert chunks["event_time_ms"].statistics.max > 0
    assert {n for n, c in chunks.items() if not c.is_stats_set} == {
        name for name in chunks if ".list." in name
    }


def test_a_written_table_reads_as_it_was(tmp_path):
    table = feature_rows()
    written_columns(table, tmp_path / "f.parquet")
    read = pq.read_table(tmp_path / "f.parquet")
    assert read.to_pylist() == table.to_pylist()
    assert pa.types.is_list(read.schema.field("history_tags").type)
