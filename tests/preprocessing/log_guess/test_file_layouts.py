"""Files of one layout, by content and not by ending."""

import bz2
import gzip
import lzma

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.log_guess.file_layouts import find_layouts
from preprocessing.log_guess.guess_log import guess_log
from preprocessing.log_guess.log_sample import sample_log
from preprocessing.storage.files import SourceError

_LINES = b"uid,item_id,ts,click\n" + b"".join(
    b"%d,%d,%d,%d\n" % (n % 7, n % 5, 1_650_000_000 + n * 997, n % 2)
    for n in range(400)
)


@pytest.mark.parametrize(
    ("name", "pack", "compression"),
    [
        ("log.parquet", bytes, "none"),  # the ending lies
        ("part-0.gz", gzip.compress, "gzip"),
        ("log.bz2", bz2.compress, "bz2"),
        ("log.txt", lzma.compress, "xz"),
        ("log.csv.zst", lambda b: pa.compress(b, "zstd", asbytes=True), "zstd"),
    ],
)
def test_content_tells_format_and_compression(name, pack, compression, tmp_path):
    (tmp_path / name).write_bytes(pack(_LINES))
    (layout,) = find_layouts(str(tmp_path)).layouts
    assert (layout.content.format, layout.content.compression) == ("csv", compression)
    sample = sample_log(layout)
    assert (sample.table.num_rows, sample.whole) == (400, True)


def test_files_that_are_written_alike_are_one_layout(tmp_path):
    for day in ("2022-05-01", "2022-05-02"):
        folder = tmp_path / f"dt={day}"
        folder.mkdir()
        table = pa.table({"uid": [1, 2]})
        pq.write_table(table, folder / f"part-{day[-1]}.snappy.parquet")
    (tmp_path / "users.csv").write_bytes(b"uid,country\n1,DE\n2,FR\n")
    (tmp_path / "_SUCCESS").write_bytes(b"")
    found = find_layouts(str(tmp_path))
    parquet, text = found.layouts
    assert (len(parquet.files), parquet.patterns) == (2, ("*.snappy.parquet",))
    assert text.names == ("uid", "country")
    sample = sample_log(parquet)
    assert sample.folder_columns == ("dt",)
    assert sample.table["dt"].to_pylist()[::2] == ["2022-05-01", "2022-05-02"]


def test_patterns_spare_other_files(tmp_path):
    for name in ("behaviors_1.tsv", "behaviors_2.tsv"):
        (tmp_path / name).write_bytes(b"1\t2\t3\n4\t5\t6\n")
    (tmp_path / "news.tsv").write_bytes(b"n1\tsport\nn2\tworld\n")
    layouts = find_layouts(str(tmp_path)).layouts
    assert {layout.patterns for layout in layouts} == {
        ("behaviors_*.tsv",),
        ("news.tsv",),
    }


def test_json_is_named_with_the_way_out(tmp_path):
    (tmp_path / "reviews.json").write_bytes(b'{"asin": "B1", "overall": 5.0}\n' * 3)
    with pytest.raises(SourceError, match=r"reviews\.json.*JSON.*convert"):
        guess_log(str(tmp_path))


def test_a_sample_of_a_long_file_is_from_all_of_it(tmp_path):
    rows = [f"{n % 97},{n % 89},{1_650_000_000 + n},{n % 2}" for n in range(200_000)]
    text = "\n".join(["uid,item_id,ts,click", *rows]) + "\n"
    (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    (layout,) = find_layouts(str(tmp_path)).layouts
    sample = sample_log(layout)
    assert not sample.whole
    assert sample.table.num_rows < 100_000
    assert sample.total_rows == pytest.approx(200_000, rel=0.02)
    times = sample.table["ts"].to_pylist()
    assert (int(times[0]), int(times[-1])) == (1_650_000_000, 1_650_199_999)
