"""Files under s3:// against a real server, and what is said where there is none."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.storage.file_versions import fingerprint
from preprocessing.storage.files import (
    create_file,
    find_files,
    is_file,
    list_files,
    move_tree,
    open_file,
    read_text,
    remove_tree,
    write_text,
)
from preprocessing.storage.s3 import endpoint
from tests.helpers import s3_server


@pytest.fixture(scope="module")
def address():
    with s3_server.s3_server() as address:
        yield address


@pytest.fixture
def bucket(address, monkeypatch):
    root = s3_server.use(monkeypatch, address)
    remove_tree(root + "/t")
    return root + "/t"


def test_what_is_written_is_found_read_moved_and_removed(bucket):
    for name in ("log/a.csv", "log/day=2/b.csv", "log/_x/c.csv", "login.csv"):
        write_text(f"{bucket}/{name}", f"é {name}")
    found = find_files(bucket + "/log", "*.csv")
    assert [file.name for file in found] == ["a.csv", "day=2/b.csv"]
    assert [read_text(f.path) for f in found] == ["é log/a.csv", "é log/day=2/b.csv"]
    assert list_files(bucket + "/log/a.csv") == [""]
    assert is_file(bucket + "/log/a.csv")
    assert not is_file(bucket + "/log")
    assert list_files(bucket + "/lo") is None
    move_tree(bucket + "/log", bucket + "/new", "a.csv")
    assert sorted(list_files(bucket + "/new")) == ["_x/c.csv", "a.csv", "day=2/b.csv"]
    remove_tree(bucket + "/new")
    assert list_files(bucket + "/new") is None
    assert list_files(bucket) == ["login.csv"]


@pytest.mark.parametrize("name", ["a.gz", "a.bz2", "a.zst", "a.lz4", "a b&c=é+%41.csv"])
def test_bytes_are_stored_as_they_are_whatever_the_name(bucket, name):
    with create_file(f"{bucket}/{name}") as file:
        file.write(b"as it is")
    assert list_files(bucket) == [name]
    with open_file(f"{bucket}/{name}") as file:
        assert file.read() == b"as it is"


def test_parquet_is_read_with_random_access(bucket):
    table = pa.table({"a": list(range(1000))})
    with create_file(bucket + "/a.parquet") as file:
        pq.write_table(table, file)
    with open_file(bucket + "/a.parquet") as file:
        assert pq.read_table(file).equals(table)


def test_another_content_is_another_version(bucket):
    write_text(bucket + "/log/a.csv", "1")
    files = find_files(bucket + "/log", "*.csv")
    first = fingerprint(bucket + "/log", files)
    assert fingerprint(bucket + "/log", files) == first
    write_text(bucket + "/log/a.csv", "12")
    assert fingerprint(bucket + "/log", files) != first


def test_a_bucket_that_is_not_there_is_named(bucket):
    with pytest.raises(OSError, match="s3://no-such/log: there is no such bucket"):
        list_files("s3://no-such/log")


def test_a_file_that_is_not_there_is_no_missing_bucket(bucket):
    with pytest.raises(OSError, match=f"{bucket}/none: there is no such file"):
        open_file(bucket + "/none")
    with pytest.raises(OSError, match="s3://no-such/a: there is no such bucket"):
        write_text("s3://no-such/a", "")


def test_no_server_is_one_line_with_its_address(monkeypatch):
    s3_server.use(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r"does not answer at http://127\.0\.0\.1:9;"):
        list_files("s3://bucket/log")


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, None),
        ({"AWS_ENDPOINT_URL": "http://a:1"}, "http://a:1"),
        (
            {"AWS_ENDPOINT_URL_S3": "http://b", "AWS_ENDPOINT_URL": "http://a"},
            "http://b",
        ),
        ({"S3_ENDPOINT": "a:1"}, "https://a:1"),
        ({"S3_ENDPOINT": "a:1", "S3_USE_HTTPS": "0"}, "http://a:1"),
        ({"S3_ENDPOINT": "http://a:1", "S3_USE_HTTPS": "1"}, "http://a:1"),
    ],
)
def test_the_endpoint_is_found_as_other_tools_name_it(environment, address):
    assert endpoint(environment) == address
