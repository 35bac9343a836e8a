import os

import pytest

from preprocessing.storage.overlap import (
    OverlapError,
    check_apart,
    lies_in,
    log_place,
    whole,
)


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("day", "day", True),
        ("day", "day/", True),
        ("day/", "day", True),
        ("./day/../day/x", "day", True),
        ("day/log", "day", True),
        ("day", "day/log", False),
        ("days", "day", False),
        ("link", "day", True),
        ("link/log", "day", True),
        ("day/log", "link", True),
        ("back/../features", "day/features", True),  # as the system reads it
        ("back/../features", "features", True),  # as Python does
        ("file://{here}/day", "day", True),
        ("day/x", "file://{here}/day", True),
        ("{here}/day", "day", True),
        ("day", "gs://day", False),
        ("gs://day", "day", False),
        ("gs://b/day", "gs://b/day/", True),
        ("gs://b/day/x", "gs://b/day", True),
        ("gs://b//day/./x/../y", "GS://b/day", True),
        ("gs://b/day", "gs://b/days", False),
        ("gs://b/day", "s3://b/day", False),
        ("gs://b/day", "gs://other/day", False),
        ("gs://b", "gs://b/day", False),
    ],
)
def test_links_and_other_spellings_are_seen_through(
    tmp_path, monkeypatch, inner, outer, expected
):
    monkeypatch.chdir(tmp_path)
    for folder in ("day/log", "days", "day/inner"):
        os.makedirs(folder)
    os.symlink("day", "link")
    os.symlink("day/inner", "back")
    inner, outer = (place.format(here=tmp_path) for place in (inner, outer))
    assert lies_in(inner, outer) == expected


def test_either_way_round_both_options_and_places_are_named(tmp_path):
    out, log = f"{tmp_path}/out", f"{tmp_path}/log"
    check_apart(whole("--out", out), whole("--data", log))
    for written, read in ((f"{log}/out", log), (out, f"{out}/log"), (out, out)):
        with pytest.raises(OverlapError) as caught:
            check_apart(whole("--out", written), whole("--data", read))
        for part in ("--out", "--data", written, read):
            assert part in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_folder_that_a_log_links_to_is_read_too(tmp_path):
    for folder in ("log", "elsewhere/deep"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "elsewhere" / "deep" / "a.parquet").touch()
    (tmp_path / "log" / "more").symlink_to(tmp_path / "elsewhere")
    log = log_place("--data", f"{tmp_path}/log")
    for out in ("elsewhere/deep", "elsewhere/deep/a.parquet", "log/more/deep/x"):
        with pytest.raises(OverlapError):
            check_apart(whole("--out", f"{tmp_path}/{out}"), log)
    check_apart(whole("--out", f"{tmp_path}/out"), log)


def test_a_file_that_a_log_links_to_is_read_too(tmp_path):
    (tmp_path / "log").mkdir()
    (tmp_path / "a.parquet").touch()
    (tmp_path / "log" / "a.parquet").symlink_to(tmp_path / "a.parquet")
    log = log_place("--data", f"{tmp_path}/log")
    with pytest.raises(OverlapError):
        check_apart(whole("--rejects", f"{tmp_path}/a.parquet"), log)
    check_apart(whole("--rejects", f"{tmp_path}/b.parquet"), log)


@pytest.mark.parametrize("data", ["nowhere", "circle"])
def test_a_log_that_cannot_be_listed_is_left_to_its_reader(tmp_path, data):
    (tmp_path / "circle").mkdir()
    (tmp_path / "circle" / "self").symlink_to(tmp_path / "circle")
    log = log_place("--data", f"{tmp_path}/{data}")
    check_apart(whole("--out", f"{tmp_path}/out"), log)
