"""How feature tables are laid out in Parquet, and how files are opened and written."""

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.checks.validation import validate
from preprocessing.contract.column_names import RARELY_REPEATED
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.in_memory import compute_features
from preprocessing.storage.files import SourceError
from preprocessing.storage.parquet import TableWriter, open_parquet, parquet_layout
from tests.helpers.log_rows import LABELS, impression, log_table

CONFIG = FeatureConfig(labels=LABELS)
NUMBERS = pa.table({"number": range(1000)})


def written_columns(table, path):
    """The written file's column chunks, by the path of their values."""
    layout = parquet_layout(table.schema, RARELY_REPEATED)
    with pq.ParquetWriter(path, table.schema, **layout) as writer:
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


def test_numbers_have_dictionaries_unless_they_are_said_to_repeat_rarely(tmp_path):
    schema = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("c", pa.float32())])
    assert parquet_layout(schema)["use_dictionary"] == ["a", "b"]
    assert parquet_layout(schema, ("b", "other"))["use_dictionary"] == ["a"]


def test_many_threads_may_write_to_one_file(tmp_path):
    path = str(tmp_path / "new folder" / "f.parquet")
    parts = [NUMBERS.slice(start, 10) for start in range(0, 1000, 10)]
    with TableWriter(path, NUMBERS.schema) as writer, ThreadPoolExecutor(8) as pool:
        list(pool.map(writer.write, parts))
    assert sorted(pq.read_table(path)["number"].to_pylist()) == list(range(1000))


def test_a_file_to_which_nothing_was_written_has_the_columns(tmp_path):
    with TableWriter(str(tmp_path / "f.parquet"), NUMBERS.schema) as writer:
        writer.write(NUMBERS.slice(0, 0))
    read = pq.read_table(tmp_path / "f.parquet")
    assert (read.num_rows, read.schema) == (0, NUMBERS.schema)


class OtherError(ValueError):
    """What a caller may want to have raised."""


@pytest.mark.parametrize("error", [SourceError, OtherError])
def test_damage_is_named_also_if_it_is_found_while_reading(tmp_path, error):
    path = tmp_path / "f.parquet"
    pq.write_table(NUMBERS, path, compression="none")
    content = bytearray(path.read_bytes())
    content[4:60] = bytes(56)
    path.write_bytes(content)
    with (
        pytest.raises(error, match="f2 is no whole Parquet file"),
        open_parquet(str(path), "f2", error) as file,
    ):
        file.read()
    path.write_bytes(content[:20])
    with pytest.raises(error, match=r"f\.parquet is no whole"):
        open_parquet(str(path), error=error).__enter__()
    with pytest.raises(SourceError, match=r"no\.parquet is no whole"):
        open_parquet(str(tmp_path / "no.parquet")).__enter__()


def test_other_errors_pass_through_an_open_file(tmp_path):
    pq.write_table(NUMBERS, tmp_path / "f.parquet")
    with pytest.raises(KeyError), open_parquet(str(tmp_path / "f.parquet")):
        raise KeyError("not the file's fault")
