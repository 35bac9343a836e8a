import shutil

import numpy as np
import pytest
import toy_model

from serving.errors import FailedPrecondition, InvalidArgument, NotFound
from serving.model_store import ModelSpec, ModelStore
from serving.saved_model import ModelLoadError, load_version
from serving.warmup_replay import replay_warmup_requests

X = {"x": np.float32([[1, 2]])}


@pytest.fixture
def store(model_dir):
    return ModelStore(str(model_dir), "ranker")


def test_newest_is_the_default(store):
    assert store.find(ModelSpec("ranker")).number == 2
    assert store.find(ModelSpec("ranker", version=1)).number == 1


def test_only_the_newest_versions(model_dir):
    store = ModelStore(str(model_dir), "ranker", num_versions=1)
    assert [state.number for state in store.states(ModelSpec("ranker"))] == [2]
    with pytest.raises(NotFound, match="Served versions: 2"):
        store.find(ModelSpec("ranker", version=1))


def test_versions_are_ordered_as_numbers(model_dir, tmp_path):
    for number in ("9", "10"):
        shutil.copytree(model_dir / "1", tmp_path / number)
    assert ModelStore(str(tmp_path), "m").find(ModelSpec("m")).number == 10


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (ModelSpec(""), InvalidArgument),
        (ModelSpec("other"), NotFound),
        (ModelSpec("ranker", version=3), NotFound),
        (ModelSpec("ranker", label="stable"), FailedPrecondition),
    ],
)
def test_what_is_not_served(store, spec, error):
    with pytest.raises(error):
        store.find(spec)


def test_signature_specs(store):
    rank = store.find(ModelSpec("ranker")).signature("rank").spec
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


def test_a_broken_version_leaves_the_others(model_dir, tmp_path, caplog):
    shutil.copytree(model_dir / "1", tmp_path / "1")
    broken = tmp_path / "2"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"no model")
    store = ModelStore(str(tmp_path), "ranker")
    assert store.find(ModelSpec("ranker")).number == 1
    states = {state.number: state for state in store.states(ModelSpec("ranker"))}
    assert (states[1].state, states[2].state) == ("AVAILABLE", "END")
    assert str(broken) in states[2].error
    assert str(broken) in caplog.text


def test_missing_and_empty_folders(tmp_path):
    with pytest.raises(ModelLoadError, match=r"nowhere does not exist"):
        ModelStore(str(tmp_path / "nowhere"), "ranker")
    with pytest.raises(ModelLoadError, match=r"no version.*an empty folder"):
        ModelStore(str(tmp_path), "ranker")
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(ModelLoadError, match="checkpoints"):
        ModelStore(str(tmp_path), "ranker")


def test_a_version_folder_for_its_parent(model_dir):
    with pytest.raises(ModelLoadError, match="is itself a SavedModel"):
        ModelStore(str(model_dir / "1"), "ranker")


@pytest.mark.parametrize("damage", ["empty", "junk", "no_pb", "no_variables"])
def test_broken_folders_are_named(model_dir, tmp_path, damage):
    folder = tmp_path / "1"
    shutil.copytree(model_dir / "1", folder)
    if damage == "no_variables":
        shutil.rmtree(folder / "variables")
    elif damage == "no_pb":
        (folder / "saved_model.pb").unlink()
    else:
        (folder / "saved_model.pb").write_bytes(b"" if damage == "empty" else b"\x01j")
    with pytest.raises(ModelLoadError, match=str(folder)):
        ModelStore(str(tmp_path), "ranker")


def test_warmup_requests_are_run(model_dir):
    folder = str(model_dir / "2")
    assert replay_warmup_requests(folder, load_version(folder, 2)) == 1
    folder = str(model_dir / "1")
    assert replay_warmup_requests(folder, load_version(folder, 1)) == 0


@pytest.mark.parametrize("damage", ["request", "file"])
def test_a_version_whose_warmup_fails_is_broken(model_dir, tmp_path, damage):
    folder = tmp_path / "1"
    shutil.copytree(model_dir / "1", folder)
    log = toy_model.warmup_log("doubled", {"x": [[1.0, 2.0, 3.0]]})
    toy_model.write_warmup(str(folder), log)
    if damage == "file":
        file = folder / "assets.extra" / "tf_serving_warmup_requests"
        file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ModelLoadError, match=r"warm-up requests of .*1/assets\.extra"):
        ModelStore(str(tmp_path), "ranker")
