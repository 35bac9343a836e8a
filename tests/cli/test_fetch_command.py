import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.fetch_command import command
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.storage import database_rows
from tests.helpers.postgres_server import needs_postgres, running_postgres

MAY = 1_651_363_200_000
PRICE = "cost::float8 as price"  # a numeric arrives as text
QUERY = "select uid, item, at, tags from log order by uid"
SOURCE = SourceConfig(
    format="parquet",
    columns={"user_id": "uid", "video_id": "item", "event_time_ms": "at"},
)


def fetch(uri, out, query=QUERY, driver="sqlite"):
    options = ["--driver", driver, "--uri", uri, "--query", query, "--out", str(out)]
    return CliRunner().invoke(command, options)


@pytest.fixture
def database(tmp_path):
    """A file of SQLite."""
    pytest.importorskip("adbc_driver_sqlite")
    path = str(tmp_path / "log.sqlite")
    with sqlite3.connect(path) as made:
        made.execute("create table log (uid int, item text, at int, tags text)")
        rows = [(i, "x", MAY + i, None) for i in range(10)]
        made.executemany("insert into log values (?, ?, ?, ?)", rows)
    made.close()
    return path


@pytest.fixture
def server():
    """A server's URL; its user need not be allowed to enter pytest's folders."""
    pytest.importorskip("adbc_driver_postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    os.chmod(folder, 0o777)
    try:
        with running_postgres(folder) as url:
            yield url
    finally:
        shutil.rmtree(folder)


def test_the_rows_of_a_file_of_sqlite(database, tmp_path, monkeypatch):
    monkeypatch.setattr(database_rows, "_GROUP_ROWS", 4)
    out = tmp_path / "log" / "day=1"
    result = fetch(database, out)
    assert result.output == f"10 rows in {out / 'rows.parquet'}\n"
    assert pq.ParquetFile(out / "rows.parquet").num_row_groups == 3
    table = compute_feature_table(SOURCE, FeatureConfig(), str(tmp_path / "log"))
    assert table.features.num_rows == 10
    again = fetch(database, out)
    assert (again.exit_code, "is there already" in again.output) == (1, True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select nope from log", "no such column: nope"),
        ("select * from log where uid > 99", "the query has no rows"),
    ],
)
def test_what_a_query_lacks_is_one_line_and_leaves_nothing(
    database, tmp_path, query, said
):
    result = fetch(database, tmp_path / "log", query)
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1
    assert not (tmp_path / "log").exists()


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "adbc_driver_sqlite.dbapi", None)
    result = fetch("log.sqlite", tmp_path / "log")
    assert "pip install 'poso[sql]'" in result.output


class TestPostgres:
    pytestmark = needs_postgres

    def test_rows_as_a_warehouse_has_them(self, server, tmp_path):
        import adbc_driver_postgresql.dbapi as client

        with client.connect(server) as connection, connection.cursor() as cursor:
            cursor.execute(
                "create table log as select i as uid, 'v' || i % 3 as item,"
                " timestamptz '2022-05-01 08:00+08' + i * interval '1 s' as at,"
                " array['a', 'b'] as tags, i / 4.0 as cost, i % 2 = 0 as liked,"
                " i::numeric as author_id from generate_series(0, 199999) i"
            )
            cursor.execute(
                "insert into log values (null, 'x', null, null, null, null, 7)"
            )
            connection.commit()
        out = tmp_path / "log"
        result = fetch(server, out, f"select *, {PRICE} from log", "postgresql")
        assert result.output == f"200,001 rows in {out / 'rows.parquet'}\n"
        config = FeatureConfig(
            labels={"like": {"column": "is_like"}},
            extra=[{"name": "price", "entity": "video", "type": "numeric"}],
        )
        columns = {**SOURCE.columns, "video_tags": "tags", "is_like": "liked"}
        source = SourceConfig(format="parquet", columns=columns)
        table = compute_feature_table(source, config, str(out))
        assert (table.features.num_rows, table.rejects.num_rows) == (200_000, 1)
        first = table.features.sort_by("event_time_ms").slice(0, 3).to_pylist()
        assert [row["event_time_ms"] for row in first] == [MAY, MAY + 1000, MAY + 2000]
        assert [row["user_id"] for row in first] == ["0", "1", "2"]
        assert [row["price"] for row in first] == [0.0, 0.25, 0.5]
        assert [row["author_id"] for row in first] == ["0", "1", "2"]
        assert [row["like"] for row in first] == [1, 0, 1]
        assert first[0]["video_tags"] == ["a", "b"]

    def test_a_server_that_is_not_there_is_one_line(self, server, tmp_path):
        result = fetch(f"{server}-not", tmp_path / "log", driver="postgresql")
        assert result.exit_code == 1
        assert result.output.count("\n") == 1
