import json
import sys

import click
import pytest

from cli.rejects_file import rejects_output
from preprocessing.storage.overlap import OverlapError, whole


def opened(path, store="users.sqlite", state=None, *read):
    return rejects_output(path and str(path), str(store), state, *read)


def test_the_file_is_there_at_once_and_empty_without_rejects(tmp_path):
    with opened(tmp_path / "r.jsonl"):
        assert (tmp_path / "r.jsonl").read_text() == ""


@pytest.mark.parametrize("path", [None, "-"])
def test_no_file_is_made_without_one(path):
    with opened(path) as file:
        assert file is (sys.stdout if path else None)


def test_earlier_rejects_are_replaced_and_nothing_else(tmp_path):
    path = tmp_path / "r.jsonl"
    for earlier in ("", json.dumps({"row": "{}", "reason": "r", "source": "s"}) + "\n"):
        path.write_text(earlier)
        with opened(path) as file:
            file.write("new")
        assert path.read_text() == "new"
    for other in ("new", '{"user_id": "a"}\n', "[1]", "\n", "null", "[" * 100_000):
        path.write_text(other)
        with pytest.raises(ValueError, match=r"r\.jsonl is there and holds no rejects"):
            opened(path).__enter__()
        assert path.read_text() == other


def test_devices_may_be_written_to():
    with opened("/dev/null") as file:
        file.write("x")


def test_it_is_neither_what_is_read_nor_the_store(tmp_path):
    path = tmp_path / "today.jsonl"
    path.write_text("")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.json").write_text("{}")
    inside = tmp_path / "state" / "user_state" / "r.jsonl"
    with pytest.raises(OverlapError, match="FILE"):
        opened(path, "s", None, whole("FILE", str(path))).__enter__()
    with pytest.raises(OverlapError, match="--store"):
        opened(path, path).__enter__()
    with pytest.raises(OverlapError, match="--state"):
        opened(inside, "s", str(tmp_path / "state")).__enter__()


def test_a_place_that_cannot_be_written_is_an_error_at_once(tmp_path):
    with pytest.raises(click.ClickException, match=r"--rejects .*gone.* cannot be"):
        opened(tmp_path / "gone" / "r.jsonl").__enter__()
