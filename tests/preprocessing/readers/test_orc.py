import datetime
import decimal

import pyarrow as pa
import pyarrow.orc as pa_orc
import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.readers import orc
from preprocessing.sources import open_source
from preprocessing.storage.files import SourceError

SOURCE = SourceConfig(format="orc")
CONFIG = FeatureConfig(labels={"like": {"column": "is_like"}})
NOON = datetime.datetime(2022, 5, 1, 12)
NOON_MS = 1_651_406_400_000


def log(rows):
    return pa.table(
        {
            "junk": pa.array([b"?"] * rows),
            "video_id": pa.array([f"v{i % 7}" for i in range(rows)]),
            "user_id": pa.array(range(rows)),
            "event_time_ms": pa.array([NOON] * rows, pa.timestamp("us")),
            "is_like": pa.array([decimal.Decimal("1.0")] * rows, pa.decimal128(4, 1)),
            "video_tags": pa.array([["a", "b"]] * rows),
        }
    )


def build(folder):
    return compute_feature_table(SOURCE, CONFIG, str(folder))


def test_reads_stripe_by_stripe(tmp_path, monkeypatch):
    monkeypatch.setattr(orc, "_BATCH_ROWS", 1000)
    rows = 200_000
    pa_orc.write_table(log(rows), tmp_path / "log.orc", stripe_size=1 << 18)
    source = open_source(SOURCE, CONFIG, str(tmp_path))
    parts = source.parts()
    assert len(parts) > 1
    assert len({part.first_row for part in parts}) == len(parts)
    read = [each for part in parts for each in source.read(part)]
    assert sum(each.table.num_rows for each in read) == rows
    assert max(each.table.num_rows for each in read) <= 1000
    numbers = [each.first_row + i for each in read for i in range(each.table.num_rows)]
    assert len(set(numbers)) == rows
    assert read[0].table.column_names == [
        "user_id",
        "video_id",
        "event_time_ms",
        "is_like",
        "video_tags",
    ]


def test_types(tmp_path):
    pa_orc.write_table(log(1), tmp_path / "log.orc")
    [row] = build(tmp_path).features.to_pylist()
    assert (row["user_id"], row["video_id"]) == ("0", "v0")
    assert (row["event_time_ms"], row["like"]) == (NOON_MS, 1)
    assert row["video_tags"] == ["a", "b"]


@pytest.mark.parametrize("keep", [0, 3, -200])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "log.orc"
    pa_orc.write_table(log(500), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"log\.orc is no whole ORC file"):
        build(tmp_path)


def test_another_kind_of_file_is_told(tmp_path):
    (tmp_path / "log.orc").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(SourceError, match="it seems to be a Parquet file"):
        build(tmp_path)
