"""CSV files as other people write them."""

import gzip

import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.storage.files import SourceError

CONFIG = FeatureConfig(max_reject_rate=1.0)
NAMES = ["user_id", "video_id", "event_time_ms"]


def build(folder, **settings):
    source = SourceConfig(format="csv", **settings)
    table = compute_feature_table(source, CONFIG, str(folder))
    rows = table.features.sort_by("event_time_ms").to_pylist()
    return table, [(row["user_id"], row["video_id"]) for row in rows]


@pytest.mark.parametrize("mark", ["\t", ";", "|", "\x01", " "])
def test_any_character_may_divide_cells(tmp_path, mark):
    lines = [NAMES, ["a,b", "x", "1"], [f'"c{mark}\n"', "y", "2"], ["d", "3"]]
    text = "\n".join(mark.join(cells) for cells in lines)
    (tmp_path / "log.csv").write_text(text)
    table, rows = build(tmp_path, delimiter=mark)
    assert rows == [("a,b", "x"), (f"c{mark}\n", "y")]
    assert table.rows_in == 3


def test_quotes_may_be_text(tmp_path):
    (tmp_path / "log.csv").write_text(
        "user_id\tvideo_id\tevent_time_ms\n" + 'a\t"x\t1\nb\t5" tv\t2\nc\t"y"\t3\n'
    )
    table, rows = build(tmp_path, delimiter="\t", quoting=False)
    assert rows == [("a", '"x'), ("b", '5" tv'), ("c", '"y"')]
    assert table.rejects.num_rows == 0


@pytest.mark.parametrize("begin", ["", "\ufeff"])
def test_a_file_without_a_header_line_loses_no_row(tmp_path, begin):
    (tmp_path / "log.csv").write_text(begin + "a,x,1\nb,y,2\nc,z\n")
    table, rows = build(tmp_path, header=NAMES)
    assert rows == [("a", "x"), ("b", "y")]
    assert table.rows_in == 3


def test_a_file_of_one_line_without_a_header(tmp_path):
    (tmp_path / "log.csv").write_text("a,x,1")
    assert build(tmp_path, header=NAMES)[1] == [("a", "x")]


def test_a_header_of_another_length_is_named(tmp_path):
    (tmp_path / "log.csv").write_text("a,x,1,0\n")
    with pytest.raises(SourceError, match="names 3 columns, but its first line has 4"):
        build(tmp_path, header=NAMES)


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("user_id\tvideo_id", {}, r"tabs in it.*source\.delimiter: '\\t'"),
        ("user_id,video_id", {"delimiter": ";"}, r"commas in it. Expected semicolons"),
        ("a\tx\t1", {"header": ["user_id"]}, "its first line is one column with tabs"),
    ],
)
def test_another_delimiter_is_named_with_the_setting(tmp_path, text, settings, message):
    (tmp_path / "log.csv").write_text(text + "\n")
    with pytest.raises(SourceError, match=message):
        build(tmp_path, **settings)


def test_compressed_files_by_pattern(tmp_path):
    text = b"user_id,video_id,event_time_ms\na,x,1\n"
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/part-0.csv.gz").write_bytes(gzip.compress(text))
    (tmp_path / "part-1.txt").write_bytes(text.replace(b"a,x,1", b"b,y,2"))
    (tmp_path / "other.csv").write_text("nothing of a log\n")
    assert build(tmp_path, files=["part-*"])[1] == [("a", "x"), ("b", "y")]
    assert build(tmp_path, files=["sub/*.gz"])[1] == [("a", "x")]
    with pytest.raises(SourceError, match=r"part-0\.csv\.gz is no CSV.*gzip data"):
        build(tmp_path, files=["*.gz"], compression="none")


def test_a_compressed_file_that_is_cut_short_is_named(tmp_path):
    lines = b"".join(b"%d,x,%d\n" % (i * 7919 % 10007, i) for i in range(20_000))
    whole = gzip.compress(b"user_id,video_id,event_time_ms\n" + lines)
    (tmp_path / "log.csv").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"log\.csv cannot be read as CSV"):
        build(tmp_path)


def test_parquet_files_may_have_any_ending(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"user_id": ["a"], "video_id": ["x"], "event_time_ms": [1]})
    pq.write_table(table, tmp_path / "000000_0")
    source = SourceConfig(format="parquet", files=["0*_0"])
    found = compute_feature_table(source, CONFIG, str(tmp_path))
    assert found.features.num_rows == 1
