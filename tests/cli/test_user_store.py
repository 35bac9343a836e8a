import sqlite3

import click
import pytest

from cli.user_store import open_store, read_features, report_errors, state_place
from preprocessing.contract.config import FeatureConfig
from preprocessing.state.schema import StateError
from preprocessing.storage.overlap import OverlapError, whole
from serving.protocol.errors import Unavailable


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (Unavailable("down"), "UNAVAILABLE: down"),
        (ValueError("wrong"), "wrong"),
        (OSError("gone"), "gone"),
    ],
)
def test_what_can_go_wrong_is_a_line(error, message):
    with pytest.raises(click.ClickException) as raised, report_errors():
        raise error
    assert raised.value.message == message


def test_a_defect_of_ours_is_not_hidden():
    with pytest.raises(KeyError), report_errors():
        raise KeyError("x")


def test_the_models_configuration_is_needed(pytestconfig):
    demo = pytestconfig.rootpath / "configs" / "demo.yaml"
    assert isinstance(read_features(demo), FeatureConfig)
    with pytest.raises(click.UsageError, match="Missing option '--config'"):
        read_features(None)


def test_a_store_may_be_a_file_or_in_memory(tmp_path):
    place = tmp_path / "users.sqlite"
    for given in (str(place), None):
        with open_store(None, given, FeatureConfig()) as store:
            assert len(store) == 0
    assert place.exists()


def test_a_store_lies_apart_from_what_is_read(tmp_path):
    state = tmp_path / "monday" / "state"
    state.mkdir(parents=True)
    (state / "state.json").write_text("{}")
    for given in (state / "users.sqlite", state / "state.json"):
        for folder in (state, state.parent):
            with pytest.raises(OverlapError, match=r"--store .* --state"):
                open_store(str(folder), str(given), FeatureConfig())
    log = whole("FILE", str(tmp_path / "today.jsonl"))
    with pytest.raises(OverlapError, match=r"--store .* FILE"):
        open_store(None, str(tmp_path / "today.jsonl"), FeatureConfig(), log)
    beside = str(state.parent / "users.sqlite")
    read = state_place("STATE_DIR", str(state.parent))
    with open_store(None, beside, FeatureConfig(), read):
        pass
    assert [path.name for path in state.iterdir()] == ["state.json"]


def test_a_store_that_is_refused_is_closed(tmp_path, monkeypatch):
    place = str(tmp_path / "users.sqlite")
    open_store(None, place, FeatureConfig()).close()
    connect, opened = sqlite3.connect, []

    def recorded(*args, **kwargs):
        opened.append(connect(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", recorded)
    with pytest.raises(StateError):
        open_store(None, place, FeatureConfig(utc_offset_hours=8))
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        opened[0].execute("SELECT 1")
