"""The same calls on this machine's disk and, through Beam, on an object store."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.storage.files import (
    SourceError,
    create_file,
    find_files,
    is_file,
    join,
    list_files,
    move_tree,
    open_file,
    read_text,
    remove_tree,
    write_text,
)
from tests.helpers import fake_store


@pytest.fixture(params=["disk", "file", "store"])
def root(request, tmp_path):
    fake_store.FILES.clear()
    places = {"disk": str(tmp_path), "file": f"file://{tmp_path}", "store": "fake://b"}
    return places[request.param]


def test_what_is_written_is_found_and_read(root):
    for name in ("log/a.csv", "log/day=2/b.csv", "log/c.txt", "log/_x/d.csv"):
        write_text(join(root, name), f"é {name}")
    found = find_files(join(root, "log"), "*.csv")
    assert [file.name for file in found] == ["a.csv", "day=2/b.csv"]
    assert [read_text(file.path) for file in found] == [
        "é log/a.csv",
        "é log/day=2/b.csv",
    ]


def test_a_file_stands_for_a_folder(root):
    write_text(join(root, "a.csv"), "")
    assert list_files(join(root, "a.csv")) == [""]
    assert is_file(join(root, "a.csv"))
    assert not is_file(root)
    assert find_files(join(root, "a.csv"), "*.csv")[0].name == "a.csv"
    with pytest.raises(SourceError, match=r"\*\.parquet, or such a file"):
        find_files(join(root, "a.csv"), "*.parquet")


def test_what_is_not_there_is_named(root):
    assert list_files(join(root, "no")) is None
    with pytest.raises(SourceError, match=r"there is no file or folder .*no"):
        find_files(join(root, "no"), "*")
    write_text(join(root, "log/a.csv"), "")
    with pytest.raises(SourceError, match=r"no \*\.parquet in .*Received: a\.csv"):
        find_files(join(root, "log"), "*.parquet")


def test_names_that_begin_alike_are_not_in_the_folder(root):
    write_text(join(root, "log/a.csv"), "")
    write_text(join(root, "log-2/b.csv"), "")
    assert list_files(join(root, "log")) == ["a.csv"]


def test_parquet_is_read_with_random_access(root):
    table = pa.table({"x": list(range(1000))})
    with create_file(join(root, "t.parquet")) as file:
        pq.write_table(table, file, row_group_size=100)
    with open_file(join(root, "t.parquet")) as file:
        assert pq.ParquetFile(file).read_row_group(9)["x"].to_pylist() == list(
            range(900, 1000)
        )


def test_trees_are_moved_and_removed(root):
    for name in ("a", "deep/b"):
        write_text(join(root, "old", name), name)
    write_text(join(root, "other"), "")
    move_tree(join(root, "old"), join(root, "new"), last="a")
    assert list_files(join(root, "old")) is None
    assert sorted(list_files(join(root, "new"))) == ["a", "deep/b"]
    remove_tree(join(root, "new"))
    remove_tree(join(root, "new"))
    assert list_files(join(root, "new")) is None
    assert is_file(join(root, "other"))
    remove_tree(join(root, "other"))
    assert not is_file(join(root, "other"))


def test_an_unknown_scheme_is_an_error():
    with pytest.raises(ValueError, match="Unable to get filesystem"):
        list_files("nowhere://bucket/log")


@pytest.mark.parametrize(
    ("folder", "joined"),
    [("a", "a/b"), ("a/", "a/b"), ("/", "/b"), ("", "./b"), ("gs://a/", "gs://a/b")],
)
def test_a_place_below_a_folder(folder, joined):
    assert join(folder, "b") == joined


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "log.csv")
    [file] = find_files(str(tmp_path), "*.csv")
    with pytest.raises(OSError, match="is no regular file"):
        open_file(file.path)


def test_hidden_names_alone_are_no_files_but_are_spoken_of(tmp_path):
    (tmp_path / "_a.csv").write_text("x")
    with pytest.raises(SourceError, match=r"names that begin with \. or _ only"):
        find_files(str(tmp_path), "*.csv")


def test_a_slash_behind_a_file_is_no_other_file(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    [file] = find_files(f"{tmp_path}/a.csv/", "*.csv")
    assert file.name == "a.csv"
    with open_file(file.path) as opened:
        assert opened.read() == b"x"
