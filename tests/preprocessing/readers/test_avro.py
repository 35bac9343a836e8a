import datetime
import decimal

import fastavro
import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.readers import avro
from preprocessing.readers.reader import Wanted
from preprocessing.sources import open_reader, open_source
from preprocessing.storage.files import SourceError

SOURCE = SourceConfig(format="avro")
CONFIG = FeatureConfig(max_reject_rate=1.0)
NOON = datetime.datetime(2022, 5, 1, 12, tzinfo=datetime.timezone.utc)
NOON_MS = 1_651_406_400_000


def write(path, fields, rows, **options):
    schema = {
        "type": "record",
        "name": "impression",
        "namespace": "feed",
        "fields": [{"name": name, "type": kind} for name, kind in fields.items()],
    }
    with path.open("wb") as file:
        fastavro.writer(file, schema, rows, **options)


def build(folder, config=CONFIG, **source):
    source = SourceConfig(format="avro", **source)
    return compute_feature_table(source, config, str(folder))


def column(folder, kind, *values):
    """What the reader gives for a column of some values."""
    write(folder / "log.avro", {"it": kind}, [{"it": value} for value in values])
    reader = open_reader(SOURCE, str(folder))
    [file] = reader.files()
    described = reader.describe(file, Wanted(("it",)))
    [rows] = reader.read(described.parts[0], Wanted(("it",)))
    return described.schema.field("it").type, rows.table["it"].to_pylist()


LOG = {
    "user_id": "long",
    "unused": {"type": "map", "values": "long"},
    "video_id": "string",
    "event_time_ms": {"type": "long", "logicalType": "timestamp-millis"},
}
ROW = {"user_id": 7, "unused": {"a": 1}, "video_id": "x", "event_time_ms": NOON}


@pytest.mark.parametrize(
    ("codec", "package"),
    [("null", ""), ("deflate", ""), ("bzip2", ""), ("xz", ""), ("snappy", "cramjam")],
)
def test_reads_a_log_of_any_compression(tmp_path, codec, package):
    if package:
        pytest.importorskip(package)
    rows = [{**ROW, "user_id": i} for i in range(20)]
    write(tmp_path / "a.avro", LOG, rows, codec=codec, sync_interval=100)
    features = build(tmp_path).features
    assert sorted(features["user_id"].to_pylist(), key=int) == list(map(str, range(20)))
    assert set(features["event_time_ms"].to_pylist()) == {NOON_MS}


def test_rows_are_numbered_through_the_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(avro, "_BATCH_ROWS", 3)
    rows = [{**ROW, "user_id": i} for i in range(10)]
    write(tmp_path / "a.avro", LOG, rows, sync_interval=1)
    source = open_source(SOURCE, CONFIG, str(tmp_path))
    [part] = source.parts()
    read = list(source.read(part))
    assert [rows.first_row for rows in read] == [0, 3, 6, 9]
    assert [rows.table.column_names for rows in read] == [
        ["user_id", "video_id", "event_time_ms"]
    ] * 4


@pytest.mark.parametrize(
    ("kind", "given", "shown", "held"),
    [
        ("int", 5, "int32", 5),
        ("boolean", True, "bool", True),
        ("float", 0.5, "float", 0.5),
        ("string", "é", "string", "é".encode()),
        ("bytes", b"\xff", "binary", b"\xff"),
        (["null", "int", "long"], 5, "int64", 5),
        (["null", "long", "double"], 0.5, "double", 0.5),
        (
            {"type": "long", "logicalType": "timestamp-micros"},
            NOON,
            "timestamp[us, tz=UTC]",
            NOON,
        ),
        (
            ["null", {"type": "long", "logicalType": "local-timestamp-millis"}],
            NOON.replace(tzinfo=None),
            "timestamp[ms]",
            NOON.replace(tzinfo=None),
        ),
        (
            {"type": "int", "logicalType": "date"},
            NOON.date(),
            "date32[day]",
            NOON.date(),
        ),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2},
            decimal.Decimal("-12.50"),
            "decimal128(6, 2)",
            decimal.Decimal("-12.50"),
        ),
        (
            {"type": "enum", "name": "page", "symbols": ["home", "search"]},
            "search",
            "string",
            "search",
        ),
        (
            {"type": "array", "items": ["null", "string"]},
            ["a", None],
            "list<item: string>",
            [b"a", None],
        ),
        (
            {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "shown",
                    "fields": [
                        {"name": "id", "type": "string"},
                        {"name": "clicked", "type": ["null", "boolean"]},
                    ],
                },
            },
            [{"id": "a", "clicked": None}],
            "list<item: struct<id: binary, clicked: bool>>",
            [{"id": b"a", "clicked": None}],
        ),
    ],
)
def test_types(tmp_path, kind, given, shown, held):
    described, values = column(tmp_path, kind, given)
    assert (str(described), values) == (shown, [held])


@pytest.mark.parametrize(
    "kind", [{"type": "map", "values": "long"}, ["null", "string", "long"]]
)
def test_a_column_of_no_one_type_is_named_if_it_is_needed(tmp_path, kind):
    given = {"a": 1} if isinstance(kind, dict) else "x"
    rows = [{**ROW, "video_id": given}]
    write(tmp_path / "log.avro", {**LOG, "video_id": kind}, rows)
    with pytest.raises(SourceError, match=r"log.avro: column 'video_id' .* one type"):
        build(tmp_path)


def test_a_type_is_named_once_and_used_twice(tmp_path):
    page = {"type": "enum", "name": "page", "symbols": ["home", "search"]}
    fields = {**LOG, "first": page, "second": ["null", "feed.page"]}
    rows = [{**ROW, "first": "home", "second": "search"}]
    write(tmp_path / "log.avro", fields, rows)
    config = FeatureConfig(
        extra=[{"name": "second", "entity": "context", "type": "categorical"}]
    )
    assert build(tmp_path, config).features["second"].to_pylist() == ["search"]


def test_a_time_that_no_calendar_holds_costs_its_row(tmp_path):
    rows = [{**ROW, "event_time_ms": at} for at in (NOON, 2**62)]
    write(tmp_path / "log.avro", LOG, rows)
    table = build(tmp_path)
    assert table.features["event_time_ms"].to_pylist() == [NOON_MS]
    assert table.rejects.num_rows == 1


def test_text_that_is_not_utf8_costs_its_row(tmp_path):
    fields = {**LOG, "video_id": "bytes"}
    rows = [{**ROW, "video_id": content} for content in (b"\xff", b"x")]
    write(tmp_path / "log.avro", fields, rows)
    table = build(tmp_path)
    assert table.features["video_id"].to_pylist() == ["x"]
    [reason] = table.summary.by_reason
    assert "video_id" in reason


@pytest.mark.parametrize("keep", [0, 3, 40, -10])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "log.avro"
    write(path, LOG, [ROW] * 100)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(SourceError, match=r"log\.avro is no whole Avro file"):
        build(tmp_path)


def test_another_kind_of_file_is_told(tmp_path):
    (tmp_path / "log.avro").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(SourceError, match="it seems to be a Parquet file"):
        build(tmp_path)
    with (tmp_path / "log.avro").open("wb") as file:
        fastavro.writer(file, "string", ["a"])
    with pytest.raises(SourceError, match=r"log.avro: expected records"):
        build(tmp_path)
