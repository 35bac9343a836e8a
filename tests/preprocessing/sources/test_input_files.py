"""Which files make a log, and whether a change of any of them is noticed."""

import os
import shutil

import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.sources.input_files import input_files, input_state
from preprocessing.storage.files import DataFile, SourceError

GENDER = {"name": "gender", "entity": "user", "type": "categorical"}


def write(folder, *names):
    for name in names:
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(os.fsencode(f"content of {name}"))
    return folder


def files_of(folder, kind, **features):
    return input_files(
        SourceConfig(format=kind), FeatureConfig.model_validate(features), str(folder)
    )


def state_of(place, kind="csv", **features):
    return input_state(
        SourceConfig(format=kind), FeatureConfig.model_validate(features), str(place)
    )


@pytest.mark.parametrize(
    ("kind", "names", "features", "read"),
    [
        ("csv", ["a.csv", "d=1/b.csv", "c.csv.gz", ".x.csv"], {}, "a.csv d=1/b.csv"),
        ("csv", ["A.CSV", "b.Csv", "c.csv~", "d.csv.crc", "e"], {}, "A.CSV b.Csv"),
        ("csv", ["x.csv/part-0", "y.csv/p.csv", "_SUCCESS"], {}, "y.csv/p.csv"),
        ("parquet", ["x.parquet/p.parquet", "._p.parquet"], {}, "x.parquet/p.parquet"),
        ("parquet", ["a.parquet", "_tmp/b.parquet", "b.csv"], {}, "a.parquet"),
        ("tfrecord", ["a.tfrecord.gz", "b.tfrecord", "b.gz"], {}, "a.t*.gz b.t*"),
        (
            "kuairand",
            ["log_standard_1.csv", "video_features_basic_p.csv", "log_random_1.csv"],
            {},
            "log_standard_1.csv video_features_basic_p.csv",
        ),
        ("kuairand", ["user_features_p.csv"], {}, ""),
        ("kuairand", ["user_features_p.csv"], {"extra": [GENDER]}, "user_features*"),
        ("kuairand", ["history_exposures_p.csv"], {}, "history*"),
        ("movielens", ["ratings.csv", "movies.csv", "tags.csv"], {}, "movies* rat*"),
        ("movielens", ["ratings.dat", "ratings.csv", "users.dat"], {}, "ratings.dat"),
        (
            "movielens",
            ["ratings.dat", "users.dat"],
            {"extra": [GENDER]},
            "ratings.dat users.dat",
        ),
    ],
)
def test_each_file_is_either_read_or_named(tmp_path, kind, names, features, read):
    from fnmatch import fnmatch

    found = files_of(write(tmp_path, *names), kind, **features)
    patterns = read.split()
    assert len(found.read) == len(patterns)
    for file, pattern in zip(found.read, patterns, strict=True):
        assert fnmatch(file.name, pattern)
    assert sorted([*(file.name for file in found.read), *found.unread]) == sorted(names)


@pytest.mark.parametrize(
    ("patterns", "read"),
    [
        (["part-*"], ["PART-1.CSV", "x/part-2.txt"]),
        (["x/*"], ["x/part-2.txt", "x/y/log.csv"]),
        (["**/log.csv"], ["x/y/log.csv"]),
        (["*.csv", "*.txt"], ["PART-1.CSV", "x/part-2.txt", "x/y/log.csv"]),
    ],
)
def test_patterns_say_which_files_are_read(tmp_path, patterns, read):
    names = ["PART-1.CSV", "x/part-2.txt", "x/y/log.csv"]
    write(tmp_path, *names, "x/.part-3.txt")
    source = SourceConfig(format="csv", files=patterns)
    found = input_files(source, FeatureConfig(), str(tmp_path))
    assert [file.name for file in found.read] == read
    assert found.unread == sorted({*names, "x/.part-3.txt"} - {*read})
    before = input_state(source, FeatureConfig(), str(tmp_path))
    (tmp_path / read[0]).write_text("changed")
    assert input_state(source, FeatureConfig(), str(tmp_path)) != before


def test_the_note_counts_all_and_names_some(tmp_path):
    write(tmp_path, "a.csv")
    assert files_of(tmp_path, "csv").note == ""
    write(tmp_path, "README.md")
    assert files_of(tmp_path, "csv").note == "1 file is not read: README.md"
    write(tmp_path, *(f"{i}.txt" for i in range(7)))
    assert files_of(tmp_path, "csv").note == (
        "8 files are not read: 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 3 more"
    )


def test_an_empty_file_is_named(tmp_path):
    write(tmp_path, "a.tfrecord", "b.tfrecord")
    (tmp_path / "b.tfrecord").write_bytes(b"")
    assert files_of(tmp_path, "tfrecord").note == "1 file is empty: b.tfrecord"
    write(tmp_path, "c.md")
    assert files_of(tmp_path, "tfrecord").note == (
        "1 file is not read: c.md; 1 file is empty: b.tfrecord"
    )


def test_the_note_is_one_line_that_any_terminal_takes(tmp_path):
    write(tmp_path, "a\nb.md", os.fsdecode(b"\xff.md"), "日.md")
    assert files_of(tmp_path, "csv").note == (
        r"3 files are not read: a\nb.md, 日.md, \udcff.md"
    )


def test_a_name_that_is_not_utf8_is_named(tmp_path):
    write(tmp_path, os.fsdecode(b"\xff.csv"))
    with pytest.raises(SourceError, match=r"\\udcff\.csv is not UTF-8: rename it"):
        files_of(tmp_path, "csv")


def rewrite(folder):
    (folder / "d=1/b.csv").write_text("CONTENT of d=1/b.csv")  # the same size


def rewrite_and_keep_the_time(folder):
    before = os.stat(folder / "d=1/b.csv")
    rewrite(folder)
    os.utime(folder / "d=1/b.csv", ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_one_by_another(folder):
    (folder / "a.csv").unlink()
    write(folder, "c.csv")


CHANGES = {
    "rewritten in place": rewrite,
    "rewritten with the old time": rewrite_and_keep_the_time,
    "new and nested": lambda folder: write(folder, "y/m/d/new.csv"),
    "deleted": lambda folder: (folder / "a.csv").unlink(),
    "renamed": lambda folder: (folder / "a.csv").rename(folder / "z.csv"),
    "replaced": replace_one_by_another,
    "a folder moved": lambda folder: (folder / "d=1").rename(folder / "d=2"),
    "a link": lambda folder: (folder / "l.csv").symlink_to(folder / "a.csv"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_log_is_noticed(tmp_path, change):
    write(tmp_path, "a.csv", "d=1/b.csv")
    before = state_of(tmp_path)
    assert state_of(tmp_path) == before
    change(tmp_path)
    assert state_of(tmp_path) != before


def test_a_change_behind_a_link_is_noticed(tmp_path):
    write(tmp_path / "days", "1/a.csv")
    log = write(tmp_path / "log", "b.csv")
    (log / "day").symlink_to(tmp_path / "days")
    assert [file.name for file in files_of(log, "csv").read] == ["b.csv", "day/1/a.csv"]
    before = state_of(log)
    (tmp_path / "days/1/a.csv").write_text("another")
    assert state_of(log) != before


def test_a_change_of_a_log_of_one_file_is_noticed(tmp_path):
    log = write(tmp_path, "a.csv", "b.csv") / "a.csv"
    before = state_of(log)
    write(tmp_path, "b.csv", "c.csv")
    assert state_of(log) == before
    log.write_text("another")
    assert state_of(log) != before


def test_what_is_not_read_does_not_count(tmp_path):
    write(tmp_path, "a.csv")
    before = state_of(tmp_path)
    write(tmp_path, "README.md", "_SUCCESS", ".hidden/b.csv")
    assert state_of(tmp_path) == before


def test_the_tables_of_a_data_set_count(tmp_path):
    names = ["log_standard_1.csv", "video_features_basic_p.csv", "user_features_p.csv"]
    write(tmp_path, *names)
    plain = state_of(tmp_path, "kuairand")
    with_users = state_of(tmp_path, "kuairand", extra=[GENDER])
    (tmp_path / names[2]).write_text("another")
    assert state_of(tmp_path, "kuairand") == plain
    assert state_of(tmp_path, "kuairand", extra=[GENDER]) != with_users
    (tmp_path / names[1]).write_text("another")
    assert state_of(tmp_path, "kuairand") != plain


def test_links_in_a_circle_are_an_error_that_names_one(tmp_path):
    for name, other in (("a", "b"), ("b", "a")):
        write(tmp_path, f"{name}/x.csv")
        (tmp_path / name / "link").symlink_to(tmp_path / other)
    with pytest.raises(SourceError, match=r"link .* leads to a folder that it lies in"):
        files_of(tmp_path, "csv")
    shutil.rmtree(tmp_path / "b")
    (tmp_path / "a/link").unlink()
    assert len(files_of(tmp_path, "csv").read) == 1


def test_the_lock_of_whoever_wrote_the_log_needs_no_word(tmp_path):
    write(tmp_path, "a.csv", ".lock")
    assert input_files(SourceConfig(format="csv"), FeatureConfig(), str(tmp_path)) == (
        [DataFile(f"{tmp_path}/a.csv", "a.csv")],
        [],
        [],
    )
