"""A copy of a store's folder moves the difference, and the marks of wholeness last."""

import time

import pytest

from preprocessing.storage import staging
from preprocessing.storage.files import list_files, read_text, write_text
from preprocessing.storage.staging import StagedFolder
from tests.helpers import s3_server


@pytest.fixture(scope="module")
def address():
    with s3_server.s3_server() as address:
        yield address


@pytest.fixture
def place(address, monkeypatch, request):
    root = s3_server.use(monkeypatch, address)
    return f"{root}/{request.node.name}"


def test_a_folder_that_is_not_there_yet_is_empty_and_is_made(place, tmp_path):
    copy = StagedFolder(place, tmp_path)
    assert copy.pull() == (0, 0)
    (copy.local / "sub").mkdir(parents=True)
    (copy.local / "sub" / "a").write_text("one")
    assert copy.push() == (1, 3)
    assert list_files(place) == ["sub/a"]


def test_only_differences_are_moved(place, tmp_path):
    here, there = (
        StagedFolder(place, tmp_path / "1"),
        StagedFolder(place, tmp_path / "2"),
    )
    for copy in (here, there):
        copy.local.mkdir(parents=True)
    for name in "abc":
        (here.local / name).write_text(name)
    assert [here.push().files, there.pull().files] == [3, 3]
    assert [here.push().files, there.pull().files] == [0, 0]
    (there.local / "b").write_text("new")
    (there.local / "c").unlink()
    assert there.push().files == 1
    assert sorted(list_files(place)) == ["a", "b"]
    assert here.pull() == (1, 3)
    assert sorted(p.name for p in here.local.glob("?")) == ["a", "b"]
    assert (here.local / "b").read_text() == "new"


def test_copies_have_the_stores_times(place, tmp_path):
    write_text(place + "/a", "x")
    copies = [StagedFolder(place, tmp_path / number) for number in "12"]
    for copy in copies:
        copy.pull()
    times = {(copy.local / "a").stat().st_mtime_ns for copy in copies}
    assert len(times) == 1
    assert abs(times.pop() / 1e9 - time.time()) < 3600


def test_what_others_put_there_meanwhile_stays(place, tmp_path):
    copy = StagedFolder(place, tmp_path)
    copy.pull()
    write_text(place + "/theirs", "x")
    copy.local.mkdir()
    (copy.local / "ours").write_text("y")
    copy.push()
    assert sorted(list_files(place)) == ["ours", "theirs"]
    copy.pull()
    assert (copy.local / "theirs").read_text() == "x"


def test_a_pull_that_fails_or_is_killed_leaves_no_half_files(
    place, tmp_path, monkeypatch
):
    write_text(place + "/a", "whole")
    copy = StagedFolder(place, tmp_path)

    def fill_up(source, part, size):
        part.write(b"wh")
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(staging.shutil, "copyfileobj", fill_up)
        with pytest.raises(OSError, match="full"):
            copy.pull()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    (tmp_path / "_parts").mkdir()
    (tmp_path / "_parts" / "killed").write_text("wh")
    assert copy.pull() == (1, 5)
    assert {p.name for p in tmp_path.iterdir()} == {copy.local.name, "record.json"}


def test_a_push_that_fails_goes_on_later(place, tmp_path, monkeypatch):
    copy = StagedFolder(place, tmp_path)
    copy.local.mkdir()
    for name in ("a", "b", "metadata.sqlite"):
        (copy.local / name).write_text("first")
    copy.push()
    for name in ("a", "b", "metadata.sqlite"):
        (copy.local / name).write_text("second")
    put = StagedFolder._put

    def fail_at_b(self, name):
        if name == "b":
            raise OSError("the store is away")
        put(self, name)

    monkeypatch.setattr(StagedFolder, "_put", fail_at_b)
    with pytest.raises(OSError, match="away"):
        copy.push()
    assert read_text(place + "/metadata.sqlite") == "first"
    monkeypatch.setattr(StagedFolder, "_put", put)
    copy.pull()
    assert (copy.local / "b").read_text() == "second"
    copy.push()
    for name in ("a", "b", "metadata.sqlite"):
        assert read_text(f"{place}/{name}") == "second"


def test_the_marks_of_wholeness_are_sent_last(place, tmp_path, monkeypatch):
    copy = StagedFolder(place, tmp_path)
    version = copy.local / "serving" / "1"
    for name in (
        "saved_model.pb",
        "assets/vocabulary",
        "assets.extra/version_files.json",
    ):
        (version / name).parent.mkdir(parents=True, exist_ok=True)
        (version / name).write_text(name)
    (copy.local / "metadata.sqlite").write_text("x")
    (copy.local / "z").write_text("x")
    sent = []
    monkeypatch.setattr(StagedFolder, "_put", lambda self, name: sent.append(name))
    copy.push()
    assert [name.split("/")[-1] for name in sent[-3:]] == list(staging._LAST)
    assert len(sent) == 5


def test_the_copy_has_a_place_of_its_own_for_each_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    places = ["s3://a/run", "s3://b/run", "s3://a/run2"]
    folders = {StagedFolder(place).local for place in places}
    assert len(folders) == 3
    assert StagedFolder("s3://a/run/").local == StagedFolder("s3://a/run").local
    assert all(folder.is_relative_to(tmp_path / "poso") for folder in folders)


def test_a_single_file_is_copied_under_its_name(place, tmp_path):
    write_text(place + "/log.csv", "a,b")
    copy = StagedFolder(place + "/log.csv", tmp_path)
    assert copy.is_behind()
    assert copy.pull() == (1, 3)
    assert copy.local == tmp_path / "log.csv"
    assert copy.local.read_text() == "a,b"
    assert not copy.is_behind()
