"""The background thread: polls, reads the configuration again, ends what is over."""

import weakref

import pytest

from serving.server.models.model_config import one_model, read_model_configs
from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.models.model_watcher import ModelWatcher
from tests.helpers.fake_loader import FakeLoader, write
from tests.helpers.waiting import wait_until


def config_text(*models):
    entries = [
        f'config {{ name: "{name}" base_path: "{base}" model_platform: "tensorflow" }}'
        for name, base in models
    ]
    return f"model_config_list {{ {' '.join(entries)} }}"


class Cycle:
    """Refers to itself, as TensorFlow's loaded objects do."""

    def __init__(self):
        self.me = self


@pytest.fixture
def started():
    """Starts watchers and stops them in the end."""
    watchers = []

    def start(*args, **kwargs):
        watcher = ModelWatcher(*args, **kwargs)
        watcher.start()
        watchers.append(watcher)
        return watcher

    yield start
    for watcher in watchers:
        watcher.stop()


@pytest.fixture
def store(tmp_path):
    write(tmp_path / "m", 1)
    return ModelStore([one_model(tmp_path / "m", "m")], load=FakeLoader())


def number(store, name="m"):
    return store.find(ModelSpec(name)).number


def test_new_versions_are_found(store, tmp_path, started):
    started(store, poll_s=0.01)
    write(tmp_path / "m", 2)
    wait_until(lambda: number(store) == 2)


def test_an_error_does_not_end_the_watch(store, tmp_path, started, monkeypatch, caplog):
    poll, calls = store.poll, []

    def fail_once():
        calls.append(1)
        if len(calls) == 1:
            raise OSError("a passing trouble")
        poll()

    monkeypatch.setattr(store, "poll", fail_once)
    started(store, poll_s=0.01)
    write(tmp_path / "m", 2)
    wait_until(lambda: number(store) == 2)
    assert "OSError: a passing trouble" in caplog.text


def test_memory_of_released_versions_is_collected_without_a_poll(
    store, tmp_path, started
):
    held = store.find(ModelSpec("m"))
    cycle = Cycle()
    object.__setattr__(held, "loaded", cycle)
    memory = weakref.ref(cycle)
    del cycle
    started(store, poll_s=0)
    write(tmp_path / "m", 2)
    store.reload(store.configs)
    assert store.states(ModelSpec("m", version=1))[0].state == "UNLOADING"
    del held
    assert store.states(ModelSpec("m", version=1))[0].state == "END"
    wait_until(lambda: memory() is None)


def test_a_changed_file_is_applied_and_a_broken_one_is_not(tmp_path, started, caplog):
    write(tmp_path / "m", 1)
    write(tmp_path / "n", 7)
    file = tmp_path / "models.config"
    file.write_text(config_text(("m", tmp_path / "m")))
    store = ModelStore(read_model_configs(file), load=FakeLoader())
    started(store, poll_s=0, config_file=file, config_poll_s=0.01)
    file.write_text("model_config_list {")
    wait_until(lambda: "is not applied" in caplog.text)
    assert number(store) == 1
    replaced = tmp_path / "new.config"
    replaced.write_text(config_text(("m", tmp_path / "m"), ("n", tmp_path / "n")))
    replaced.rename(file)
    wait_until(lambda: "n" in [config.name for config in store.configs])
    wait_until(lambda: store.ready())
    assert number(store, "n") == 7
    assert caplog.text.count("is not applied") == 1


@pytest.mark.parametrize("argument", ["poll_s", "config_poll_s"])
def test_negative_times(store, argument):
    with pytest.raises(ValueError, match=f"{argument} must be at least 0.*-1"):
        ModelWatcher(store, **{argument: -1})
