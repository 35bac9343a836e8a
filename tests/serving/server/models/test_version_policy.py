"""Which versions are aspired to, and the way there."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.server.models.version_policy import (
    AllVersions,
    LatestVersions,
    SpecificVersions,
    VersionSnapshot,
    next_action,
)


@pytest.mark.parametrize(
    ("policy", "aspired"),
    [
        (LatestVersions(), [10]),
        (LatestVersions(0), [10]),
        (LatestVersions(2), [10, 9]),
        (LatestVersions(9), [10, 9, 1]),
        (AllVersions(), [10, 9, 1]),
        (SpecificVersions(frozenset({1, 9, 77})), [9, 1]),
    ],
)
def test_aspired_versions(policy, aspired):
    assert policy.aspired([9, 1, 10]) == aspired
    assert policy.aspired([]) == []


@st.composite
def worlds(draw):
    """Versions in any state, and which of the new ones will not load."""
    numbers = draw(st.lists(st.integers(1, 9), max_size=7, unique=True))
    versions = [
        VersionSnapshot(
            number,
            f"/m/{number}",
            draw(st.booleans()),
            draw(st.sampled_from(["new", "ready", "idle"])),
        )
        for number in numbers
    ]
    return versions, draw(st.sets(st.integers(1, 9)))


def run(versions, broken):
    """The worlds that the actions lead through, to the end."""
    world = {version.number: version for version in versions}
    history = [dict(world)]
    while (step := next_action(world.values())) is not None:
        version = step.version
        if step.action == "unload":
            assert version.state == "ready"
            assert not version.aspired
            del world[version.number]
        else:
            assert version.state == "new"
            assert version.aspired
            state = "idle" if version.number in broken else "ready"
            world[version.number] = VersionSnapshot(
                version.number, version.folder, True, state
            )
        history.append(dict(world))
        assert len(history) < 30
    return history


def served(world):
    return {number for number, each in world.items() if each.state == "ready"}


@given(worlds())
def test_what_can_be_loaded_is_served_in_the_end(case):
    versions, broken = case
    end = run(versions, broken)[-1]
    for version in versions:
        if version.aspired and version.state == "new":
            assert (version.number in served(end)) == (version.number not in broken)
        if version.aspired and version.state == "ready":
            assert version.number in served(end)


@given(worlds())
def test_what_is_not_aspired_goes_unless_nothing_else_would_be_served(case):
    versions, broken = case
    end = run(versions, broken)[-1]
    unwanted = {number for number in served(end) if not end[number].aspired}
    if served(end) - unwanted or not any(each.aspired for each in versions):
        assert not unwanted
    else:
        ready = {each.number for each in versions if each.state == "ready"}
        assert unwanted == ({max(ready)} if ready else set())


@given(worlds())
def test_no_step_leaves_a_wanted_model_without_a_version(case):
    versions, broken = case
    if not any(version.aspired for version in versions):
        return
    history = run(versions, broken)
    for before, after in itertools.pairwise(history):
        assert served(after) or not served(before)


@given(worlds())
def test_newest_first_and_oldest_last(case):
    versions, broken = case
    history = run(versions, broken)
    loaded, unloaded = [], []
    for before, after in itertools.pairwise(history):
        unloaded += sorted(before.keys() - after.keys())
        loaded += [n for n in after if after[n] != before[n]]
    assert loaded == sorted(loaded, reverse=True)
    assert unloaded == sorted(unloaded)
