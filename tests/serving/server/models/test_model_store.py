"""Several models in one store: finding, reloading, labels."""

import shutil
import threading
import weakref

import numpy as np
import pytest

from serving.protocol.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ServingError,
)
from serving.server.models.model_config import ModelConfig, ServerConfigError, one_model
from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.models.saved_model import ModelLoadError
from serving.server.models.version_policy import (
    AllVersions,
    LatestVersions,
    SpecificVersions,
)
from tests.helpers.fake_loader import Clock, FakeLoader, dead, write

ONE_ROW = np.float32([[1, 2]])


def config(base, name="m", policy=None, **labels):
    return ModelConfig(name, str(base), policy or LatestVersions(), labels)


def store_of(*configs, **options):
    options = {"load": FakeLoader(), "clock": Clock()} | options
    return ModelStore(configs, **options)


def states(store, name="m"):
    return {state.number: state.state for state in store.states(ModelSpec(name))}


@pytest.fixture
def base(tmp_path):
    for number in (1, 2, 10):
        write(tmp_path / "m", number)
    return tmp_path / "m"


def test_the_newest_number_is_the_default(base):
    store = store_of(config(base, policy=AllVersions()))
    assert store.find(ModelSpec("m")).number == 10
    assert store.find(ModelSpec("m", version=2)).number == 2


def test_the_newest_version_alone_is_served_unless_asked(base):
    store = ModelStore([one_model(base, "m")], load=FakeLoader())
    assert states(store) == {10: "AVAILABLE"}
    with pytest.raises(NotFound) as raised:
        store.find(ModelSpec("m", version=2))
    assert raised.value.message == "Servable not found for request: Specific(m, 2)"


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        (ModelSpec(""), InvalidArgument, "ModelSpec has no name specified."),
        (
            ModelSpec("other"),
            NotFound,
            "Servable not found for request: Latest(other)",
        ),
        (
            ModelSpec("m", version=3),
            NotFound,
            "Servable not found for request: Specific(m, 3)",
        ),
        (
            ModelSpec("m", label="stable"),
            InvalidArgument,
            "Unrecognized servable version label: stable",
        ),
    ],
)
def test_what_is_not_served_is_refused_as_by_tensorflow_serving(
    base, spec, error, message
):
    with pytest.raises(error) as raised:
        store_of(config(base)).find(spec)
    assert raised.value.message == message


def test_states_of_what_was_never_seen(base):
    store = store_of(config(base))
    with pytest.raises(NotFound) as raised:
        store.states(ModelSpec("other"))
    assert raised.value.message == "Could not find any versions of model other"
    with pytest.raises(NotFound) as raised:
        store.states(ModelSpec("m", version=7))
    assert raised.value.message == "Could not find version 7 of model m"


def test_models_do_not_mix(base, tmp_path):
    write(tmp_path / "n", 3)
    store = store_of(config(base), config(tmp_path / "n", "n"))
    assert store.find(ModelSpec("n")).number == 3
    assert store.find(ModelSpec("m")).number == 10
    with pytest.raises(NotFound):
        store.find(ModelSpec("n", version=10))


def test_a_start_without_a_version_names_each_model(base, tmp_path):
    write(tmp_path / "n", 1, "broken")
    with pytest.raises(ModelLoadError) as raised:
        store_of(config(base), config(tmp_path / "n", "n"), config("/nowhere", "o"))
    assert "n/1 is broken" in str(raised.value)
    assert "/nowhere does not exist" in str(raised.value)
    assert str(base) not in str(raised.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "no version to serve.*an empty folder"),
        (lambda folder: (folder / "checkpoints").mkdir(), "checkpoints"),
        (lambda folder: (folder / "saved_model.pb").touch(), "is itself a SavedModel"),
        (lambda folder: write(folder, 4), "has versions 4, but none that is asked"),
    ],
)
def test_a_folder_without_versions_is_explained(tmp_path, make, message):
    make(tmp_path)
    with pytest.raises(ModelLoadError, match=message):
        store_of(config(tmp_path, policy=SpecificVersions(frozenset({5}))))


def test_a_poll_swaps_in_a_version_once_its_folder_stands_still(base):
    load = FakeLoader()
    store = store_of(config(base), load=load)
    folder = write(base, 11, "half")
    store.poll()
    assert states(store)[11] == "START"
    (folder / "variables").write_text("the other half")
    store.poll()
    assert states(store)[11] == "START"
    store.poll()
    assert states(store)[11] == "AVAILABLE"
    assert load.loaded == [("m", 10), ("m", 11)]
    assert store.find(ModelSpec("m")).number == 11


def test_a_reload_adds_removes_and_changes_models(base, tmp_path):
    write(tmp_path / "n", 3)
    store = store_of(config(base))
    store.reload([config(base, policy=AllVersions()), config(tmp_path / "n", "n")])
    assert states(store) == {1: "AVAILABLE", 2: "AVAILABLE", 10: "AVAILABLE"}
    assert store.find(ModelSpec("n")).number == 3
    store.reload([config(tmp_path / "n", "n")])
    with pytest.raises(NotFound, match=r"Latest\(m\)"):
        store.find(ModelSpec("m"))
    assert states(store) == {1: "END", 2: "END", 10: "END"}
    store.reload([config(base)])
    assert states(store) == {1: "END", 2: "END", 10: "AVAILABLE"}


def test_a_reload_to_another_folder_replaces_versions_of_the_same_number(
    base, tmp_path
):
    write(tmp_path / "n", 10, "other")
    store = store_of(config(base))
    old = weakref.ref(store.find(ModelSpec("m")))
    store.reload([config(tmp_path / "n")])
    assert store.find(ModelSpec("m")).definitions == {"text": "other"}
    assert states(store) == {10: "AVAILABLE"}
    assert dead(old)


def test_a_reload_whose_new_model_does_not_load_says_why(base, tmp_path):
    write(tmp_path / "n", 1, "broken")
    store = store_of(config(base))
    with pytest.raises(ServingError) as raised:
        store.reload([config(base), config(tmp_path / "n", "n")])
    assert raised.value.code == "UNKNOWN"
    assert "1 model(s) did not become available: {{" in raised.value.message
    assert "n/1 is broken" in raised.value.message
    assert store.find(ModelSpec("m")).number == 10
    assert not store.ready()
    write(tmp_path / "n", 1, "mended")
    store.poll()
    store.poll()
    assert store.find(ModelSpec("n")).number == 1
    assert store.ready()


def test_labels_name_versions(base):
    store = store_of(config(base, policy=AllVersions()))
    store.reload([config(base, policy=AllVersions(), stable=1, canary=10)])
    assert store.find(ModelSpec("m", label="stable")).number == 1
    assert store.find(ModelSpec("m", label="canary")).number == 10
    store.reload([config(base, policy=AllVersions(), stable=2)])
    assert store.find(ModelSpec("m", label="stable")).number == 2
    with pytest.raises(InvalidArgument, match="canary"):
        store.find(ModelSpec("m", label="canary"))


def test_a_label_of_a_version_that_is_not_available_is_refused(base, tmp_path):
    store = store_of(config(base, policy=AllVersions()))
    store.reload([config(base, policy=AllVersions(), stable=1)])
    with pytest.raises(FailedPrecondition) as raised:
        store.reload([config(base, stable=3), config(tmp_path / "n", "n")])
    assert raised.value.message == (
        "Request to assign label to version 3 of model m, which is not currently "
        "available for inference"
    )
    assert store.find(ModelSpec("m", label="stable")).number == 1
    assert store.configs == [config(base, policy=AllVersions(), stable=1)]
    assert states(store) == {1: "AVAILABLE", 2: "AVAILABLE", 10: "AVAILABLE"}


def test_labels_at_the_start_need_leave(base):
    labelled = config(base, policy=AllVersions(), stable=1)
    with pytest.raises(ServerConfigError, match="allow_version_labels"):
        store_of(labelled)
    store = store_of(labelled, allow_version_labels_for_unavailable_models=True)
    assert store.find(ModelSpec("m", label="stable")).number == 1
    # A label in use may not move to a version that is not there.
    with pytest.raises(FailedPrecondition, match="version 3"):
        store.reload([config(base, policy=AllVersions(), stable=3)])
    # A new one may; it cannot be asked for before the version is there.
    store.reload([config(base, policy=AllVersions(), stable=1, next=3)])
    with pytest.raises(NotFound, match=r"Specific\(m, 3\)"):
        store.find(ModelSpec("m", label="next"))


def test_requests_are_answered_while_a_version_loads(base):
    load = FakeLoader()
    store = store_of(config(base), load=load)
    loading, go_on = threading.Event(), threading.Event()

    def wait(number):
        loading.set()
        assert go_on.wait(30)

    load.before = wait
    write(base, 11)
    thread = threading.Thread(
        target=store.reload, args=[[config(base, policy=AllVersions())]]
    )
    thread.start()
    assert loading.wait(30)
    assert states(store)[11] == "LOADING"
    assert store.find(ModelSpec("m")).number == 10
    assert store.ready()
    go_on.set()
    thread.join(30)
    assert store.find(ModelSpec("m")).number == 11


def test_a_real_model_is_swapped_and_its_memory_freed(model_dir, tmp_path):
    shutil.copytree(model_dir / "1", tmp_path / "1")
    store = ModelStore([one_model(tmp_path, "m")])
    held = store.find(ModelSpec("m"))
    version = weakref.ref(held)
    session = weakref.ref(held.signature("doubled").function)
    shutil.copytree(model_dir / "2", tmp_path / "2")
    store.poll()
    store.poll()
    assert store.find(ModelSpec("m")).number == 2
    assert states(store) == {1: "UNLOADING", 2: "AVAILABLE"}
    assert held.signature("doubled").run({"x": ONE_ROW})["y"].tolist() == [[2, 4]]
    del held
    assert states(store) == {1: "END", 2: "AVAILABLE"}
    assert dead(version)
    assert dead(session)
