import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.sources.catalogue import read_video_rows, video_schema
from preprocessing.storage.files import SourceError

CONFIG = FeatureConfig(
    extra=[
        {"name": "quality", "entity": "video", "type": "numeric"},
        {"name": "country", "entity": "user", "type": "categorical"},
    ]
)


def rows_of(folder, **columns):
    pq.write_table(pa.table(columns), folder / "part.parquet")
    videos = read_video_rows(str(folder), CONFIG)
    assert videos.schema.equals(video_schema(CONFIG))
    return {row.pop("video_id"): row for row in videos.to_pylist()}


def test_reads_a_catalogue(tmp_path):
    videos = rows_of(
        tmp_path,
        video_id=[7, 8],
        author_id=["a", None],
        video_tags=[["s", "", "t"], None],
        video_upload_ms=[5, None],
        quality=[0.5, float("nan")],
        country=["x", "y"],
    )
    assert videos == {
        "7": {
            "author_id": "a",
            "video_tags": ["s", "t"],
            "video_upload_ms": 5,
            "quality": 0.5,
        },
        "8": dict.fromkeys(["author_id", "video_tags", "video_upload_ms", "quality"]),
    }


def test_of_a_log_the_latest_row_of_each_video_counts(tmp_path):
    rows = {"video_id": ["v", "w", "v", None], "event_time_ms": [3, 1, 2, 9]}
    pq.write_table(
        pa.table({**rows, "author_id": ["new", "b", "old", "c"]}),
        tmp_path / "a.parquet",
    )
    later = {"video_id": ["w", "v"], "event_time_ms": [2, 1]}
    pq.write_table(
        pa.table({**later, "author_id": ["b2", "older"]}), tmp_path / "b.parquet"
    )
    videos = read_video_rows(str(tmp_path), CONFIG).to_pylist()
    authors = {row["video_id"]: row["author_id"] for row in videos}
    assert authors == {"v": "new", "w": "b2"}


def test_without_times_the_last_row_counts(tmp_path):
    videos = rows_of(tmp_path, video_id=["v", "v"], author_id=["first", "last"])
    assert videos["v"]["author_id"] == "last"


def test_files_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(SourceError, match="video_id"):
        rows_of(tmp_path, author_id=["a"])
    with pytest.raises(SourceError, match=r"part\.parquet.*'author_id'"):
        rows_of(tmp_path, video_id=["v"], author_id=[{"a": 1}])
    (tmp_path / "part.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(SourceError, match=r"part\.parquet"):
        read_video_rows(str(tmp_path), CONFIG)
