"""Loading a folder: what is logged, and how a broken one is named."""

import gc
import logging
import shutil
import sys

import pytest

from serving.server.models.loading import (
    beside_requests,
    dedicate_process,
    load_and_warm_up,
)
from serving.server.models.saved_model import ModelLoadError
from tests.helpers import toy_model


def test_loading_and_warm_up_are_logged_with_their_seconds(model_dir, caplog):
    caplog.set_level(logging.INFO)
    version = load_and_warm_up("ranker", 2, str(model_dir / "2"))
    assert version.number == 2
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("serving")
    ]
    assert lines[0] == f"ranker: loading version 2 of {model_dir / '2'}"
    assert lines[1].startswith("ranker: loaded version 2 in ")
    assert lines[2].startswith("ranker: warmed up version 2 with 1 requests in ")


def test_signature_specs(model_dir):
    version = load_and_warm_up("ranker", 2, str(model_dir / "2"))
    rank = version.signature("rank").spec
    assert {name: spec.describe() for name, spec in rank.inputs.items()} == {
        "avc": "int64 [1]",
        "history_gap_ms": "int64 [1, ?]",
        "history_video_ids": "string [1, ?]",
        "user_id": "string [1]",
        "video_age_hours": "float32 [?]",
        "video_id": "string [?]",
        "video_tags": "string [?, ?]",
    }
    assert list(rank.outputs) == ["fused", "scores", "tasks"]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("empty", "UNKNOWN"),
        ("junk", "UNKNOWN"),
        ("no_pb", "NOT_FOUND"),
        ("no_variables", "UNKNOWN"),
        ("half_the_variables", "OUT_OF_RANGE"),
        ("warmup", "UNKNOWN"),
    ],
)
def test_broken_folders_are_named(model_dir, tmp_path, damage, code):
    folder = tmp_path / "1"
    shutil.copytree(model_dir / "1", folder)
    if damage == "no_variables":
        shutil.rmtree(folder / "variables")
    elif damage == "half_the_variables":
        file = folder / "variables" / "variables.data-00000-of-00001"
        file.write_bytes(file.read_bytes()[:2])
    elif damage == "no_pb":
        (folder / "saved_model.pb").unlink()
    elif damage == "warmup":
        toy_model.write_warmup(str(folder), toy_model.warmup_log("doubled", {"x": [1]}))
    else:
        (folder / "saved_model.pb").write_bytes(b"" if damage == "empty" else b"\x01j")
    with pytest.raises(ModelLoadError, match=str(folder)) as raised:
        load_and_warm_up("ranker", 1, str(folder))
    assert raised.value.code == code


PYTHONS_OWN_S = 0.005


@pytest.fixture
def interpreter_as_it_starts():
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(PYTHONS_OWN_S)
    yield
    sys.setswitchinterval(interval_s)


def fail_beside_requests():
    with beside_requests():
        assert sys.getswitchinterval() < PYTHONS_OWN_S
        assert not gc.isenabled()
        raise KeyError


@pytest.mark.usefixtures("interpreter_as_it_starts")
def test_settings_are_restored_after_a_failure():
    with pytest.raises(KeyError):
        fail_beside_requests()
    assert sys.getswitchinterval() == PYTHONS_OWN_S
    assert gc.isenabled()


@pytest.mark.usefixtures("interpreter_as_it_starts")
def test_a_collector_that_is_off_stays_off():
    gc.disable()
    try:
        with beside_requests():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.usefixtures("interpreter_as_it_starts")
def test_a_dedicated_process_spares_what_lives_and_switches_sooner():
    try:
        dedicate_process()
        assert gc.get_freeze_count() > 10_000
        assert sys.getswitchinterval() < PYTHONS_OWN_S
    finally:
        gc.unfreeze()
