"""The output must lie apart from what is read; the log may lie beside it."""

import json

import pytest

from preprocessing.engine.output_folder import check_places
from preprocessing.storage.overlap import OverlapError


def lay_out(folder):
    for name in ("day/log/a.csv", "day/state/state.json", "other/state/state.json"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(json.dumps({}))


@pytest.mark.parametrize(
    ("out", "data", "state"),
    [
        ("out", "day/log", None),
        ("day", "day/log", None),
        ("day", "day/log", "other"),
        ("day", "day/log/a.csv", "other/state"),
        ("day/next", "day/log", "day"),
        (".", "day/log", "day"),
        ("day/logs", "day/log", None),
    ],
)
def test_what_lies_apart(tmp_path, monkeypatch, out, data, state):
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    check_places(out, data, state)


@pytest.mark.parametrize(
    ("out", "data", "state"),
    [
        ("day/log", "day/log", None),
        ("day/log/out", "day/log", None),
        ("day", "day", None),
        ("day", "day/features", None),
        ("day", "day/rejects/more/a.csv", None),
        ("day", "day/_incomplete", None),
        ("day", "day/log", "day"),
        ("day", "day/log", "day/state"),
        ("day/state", "day/log", "day"),
        ("day/state/next", "day/log", "day"),
        ("gs://b/log/out", "gs://b/log", None),
        ("gs://b", "gs://b/features", None),
    ],
)
def test_what_overlaps(tmp_path, monkeypatch, out, data, state):
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OverlapError, match=f"out_dir {out}: "):
        check_places(out, data, state)
