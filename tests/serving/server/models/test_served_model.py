"""Versions of one model: found, loaded, tried again, unloaded, forgotten."""

import shutil
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.server.models.model_config import ModelConfig
from serving.server.models.saved_model import ModelLoadError
from serving.server.models.served_model import ServedModel
from serving.server.models.served_version import LoadRetries
from serving.server.models.version_policy import (
    AllVersions,
    LatestVersions,
    SpecificVersions,
)
from tests.helpers.fake_loader import Clock, FakeLoader, dead, write

RETRIES = LoadRetries(max_retries=2, interval_s=60)


class World:
    """A served model, its folder and the time."""

    def __init__(self, base, policy=None):
        self.base, self.clock, self.load, self.released = base, Clock(), FakeLoader(), 0
        self.model = ServedModel("m", self.load, RETRIES, self.clock, self.on_released)
        self.model.configure(ModelConfig("m", str(base), policy or LatestVersions()))

    def on_released(self):
        self.released += 1

    def poll(self, times=2):
        for _ in range(times):
            self.model.reconcile(wait_until_settled=True)

    @property
    def states(self):
        return {each.number: each.state for each in self.model.states()}

    @property
    def attempts(self):
        return [number for _, number in self.load.loaded]


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "m")
    write(world.base, 1)
    world.poll()
    return world


def test_a_new_version_takes_the_place_of_the_old_one(world):
    available = []
    world.load.before = lambda number: available.append(set(world.model.available))
    write(world.base, 2)
    world.poll()
    assert available == [{1}]
    assert set(world.model.available) == {2}
    assert world.states == {2: "AVAILABLE", 1: "END"}


def test_a_version_in_use_is_unloading_until_it_is_let_go(world):
    held = world.model.available[1]
    write(world.base, 2)
    world.poll()
    assert world.states == {2: "AVAILABLE", 1: "UNLOADING"}
    assert (world.released, world.model.note_released()) == (0, 0)
    del held
    assert world.states == {2: "AVAILABLE", 1: "END"}
    assert (world.released, world.model.note_released()) == (1, 1)
    assert world.model.note_released() == 0


def test_a_broken_version_leaves_the_old_one(world, caplog):
    folder = write(world.base, 2, "broken")
    world.poll()
    assert set(world.model.available) == {1}
    newest = world.model.states()[0]
    assert (newest.state, newest.code) == ("END", "DATA_LOSS")
    assert newest.error == f"{folder} is broken"
    assert f"version 2 is not served: {folder} is broken" in caplog.text
    assert world.model.problem() == ""


def test_a_version_after_a_broken_one_is_loaded(world):
    write(world.base, 2, "broken")
    world.poll()
    write(world.base, 3)
    world.poll()
    assert world.states == {3: "AVAILABLE", 2: "END", 1: "END"}


def test_a_broken_version_is_tried_again_after_a_while_but_not_for_ever(world):
    write(world.base, 2, "broken")
    world.poll()
    for _ in range(5):
        world.clock.now_s += 59
        world.poll()
        world.clock.now_s += 1
        world.poll()
    assert world.attempts == [1] + [2] * (1 + RETRIES.max_retries)


def test_a_broken_version_is_tried_again_once_its_folder_has_changed(world):
    write(world.base, 2, "broken")
    world.poll()
    world.poll()
    assert world.attempts == [1, 2]
    write(world.base, 2, "now sound")
    world.poll(1)
    assert world.states[2] == "START"
    world.poll(1)
    assert world.states == {2: "AVAILABLE", 1: "END"}
    assert world.model.states()[0].error == ""


def test_a_folder_that_grows_is_left_alone(world):
    for size in range(1, 5):
        write(world.base, 2, "x" * size)
        world.poll(1)
    assert world.attempts == [1]
    assert world.states == {2: "START", 1: "AVAILABLE"}
    world.poll(1)
    assert world.states == {2: "AVAILABLE", 1: "END"}


def test_whatever_a_loader_raises_is_a_broken_version(world, caplog):
    def fail(number):
        raise ZeroDivisionError("a defect")

    world.load.before = fail
    write(world.base, 2)
    world.poll()
    newest = world.model.states()[0]
    assert (newest.state, newest.code) == ("END", "INTERNAL")
    assert "ZeroDivisionError: a defect" in newest.error
    assert set(world.model.available) == {1}


def text(world, number=1):
    return world.model.available[number].definitions["text"]


def rewrite(folder):
    write(folder.parent, 1, "rewritten")


def put_another_in_its_place(folder):
    folder.rename(folder.parent / "old")
    write(folder.parent, 1, "rewritten")


def swap_its_link(folder):
    folder.rename(folder.parent / "old")
    other = write(folder.parent / "elsewhere", 1, "rewritten")
    folder.symlink_to(other)


def link_its_file(folder):
    other = write(folder.parent / "elsewhere", 1, "rewritten")
    (folder / "saved_model.pb").unlink()
    (folder / "saved_model.pb").symlink_to(other / "saved_model.pb")


@pytest.mark.parametrize(
    "replace", [rewrite, put_another_in_its_place, swap_its_link, link_its_file]
)
def test_a_served_version_whose_files_are_replaced_is_loaded_again_once(world, replace):
    replace(world.base / "1")
    world.poll(1)
    assert text(world) == "sound"  # its files may still be written
    world.poll(3)
    assert text(world) == "rewritten"
    assert world.attempts == [1, 1]
    assert world.states == {1: "AVAILABLE"}


def test_a_replaced_version_is_released_after_its_last_request(world):
    held = world.model.available[1]
    rewrite(world.base / "1")
    world.poll()
    assert (world.released, world.model.note_released()) == (0, 0)
    del held
    assert (world.released, world.model.note_released()) == (1, 1)
    assert world.model.note_released() == 0


def test_a_replaced_version_that_does_not_load_stays_as_it_was(world, caplog):
    write(world.base, 1, "broken")
    world.poll(5)
    assert text(world) == "sound"
    assert world.attempts == [1, 1]
    assert "version 1 stays as it was loaded: " in caplog.text
    rewrite(world.base / "1")
    world.poll()
    assert text(world) == "rewritten"


def test_files_that_change_while_they_are_loaded_are_loaded_again(world):
    def still_copied(number):
        world.load.before = lambda number: None
        write(world.base, number, "half a copy")

    world.load.before = still_copied
    write(world.base, 2)
    world.poll(5)
    assert world.attempts == [1, 2, 2]


class HalfAModel:
    pass


def test_a_failed_load_keeps_no_memory(world):
    memory = []

    def fail(number):
        half = HalfAModel()
        memory.append(weakref.ref(half))
        try:
            raise KeyError("a variable")
        except KeyError as error:
            raise ModelLoadError("half a model") from error

    world.load.before = fail
    write(world.base, 2)
    world.poll()
    assert world.states[2] == "END"
    assert dead(memory[0])


def test_a_folder_that_cannot_be_seen_changes_nothing(world, caplog):
    world.base.rename(world.base.with_name("away"))
    world.poll()
    assert set(world.model.available) == {1}
    assert caplog.text.count("does not exist") == 1


def test_removed_folders_are_unloaded(world):
    shutil.rmtree(world.base / "1")
    world.poll()
    assert not world.model.available
    assert "has no version to serve" in world.model.problem()
    write(world.base, 1)
    world.poll()
    assert set(world.model.available) == {1}


def test_the_newest_ended_versions_are_remembered(tmp_path):
    world = World(tmp_path / "m")
    for number in range(1, 131):
        write(world.base, number)
        world.model.reconcile(wait_until_settled=False)
        shutil.rmtree(world.base / str(number - 1), ignore_errors=True)
    assert world.states == {130: "AVAILABLE"} | dict.fromkeys(range(30, 130), "END")


POLICIES = st.one_of(
    st.builds(LatestVersions, st.integers(1, 3)),
    st.just(AllVersions()),
    st.builds(SpecificVersions, st.frozensets(st.integers(1, 5), min_size=1)),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 5), st.sampled_from(["a", "b"])),
        st.tuples(st.just("break"), st.integers(1, 5)),
        st.tuples(st.just("remove"), st.integers(1, 5)),
        st.tuples(st.just("policy"), POLICIES),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_any_history_ends_in_what_the_policy_asks_for(tmp_path_factory, steps):
    """Against the obvious rule: what is aspired to and loads, is served."""
    world = World(tmp_path_factory.mktemp("m"))
    policy = LatestVersions()
    loaded = {}
    for step, *details in steps:
        if step == "write":
            write(world.base, *details)
        elif step == "break":
            write(world.base, details[0], "broken")
        elif step == "remove":
            shutil.rmtree(world.base / str(details[0]), ignore_errors=True)
        else:
            policy = details[0]
            world.model.configure(ModelConfig("m", str(world.base), policy))
        before = set(world.model.available)
        world.poll(3)
        found = {int(folder.name) for folder in world.base.iterdir()}
        aspired = set(policy.aspired(found))
        texts = {n: (world.base / str(n) / "saved_model.pb").read_text() for n in found}
        # A version that is loaded stays as it was, whatever becomes of its folder.
        sound = {n for n in aspired if n in loaded or "broken" not in texts[n]}
        served = set(world.model.available)
        last_resort = {max(before)} if before and aspired and not sound else set()
        assert served == (sound or last_resort)
        loaded = {n: world.model.available[n] for n in served}
