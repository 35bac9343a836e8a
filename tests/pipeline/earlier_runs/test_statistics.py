"""Which statistics a run's are compared with."""

from types import SimpleNamespace

import pytest

from pipeline.earlier_runs.statistics import EarlierStatisticsStrategy
from tests.helpers.run_history import CACHED, RunHistory


class Runs:
    """Runs of examples and their statistics, in which others of both kinds are made."""

    def __init__(self):
        self._history = RunHistory()

    def run(self, day="", examples=None):
        """New statistics of new examples, or of some that an earlier run made."""
        history = self._history
        history.begin(f"run-{len(history.store.get_artifacts())}")
        given = {"examples": "Examples" if examples is None else examples}
        state = {} if examples is None else {"state": CACHED}
        days = {"last_day": day} if day and examples is None else {}
        made = history.add("ImpressionExampleGen", given, **state, **days)
        history.add("Transform", {"transformed_examples": "Examples"}, [*made.values()])
        outputs = {"statistics": "ExampleStatistics"}
        return made | history.add("StatisticsGen", outputs, [*made.values()])

    def serve(self):
        """New statistics of logged requests, which are made of no examples."""
        self._history.add("ServingStatisticsGen", {"statistics": "ExampleStatistics"})

    def before(self, run):
        """The statistics that those of a run's examples are compared with."""
        store = self._history.store
        every = store.get_artifacts_by_type("ExampleStatistics")
        found = EarlierStatisticsStrategy().resolve_artifacts(
            store,
            {
                "examples": [SimpleNamespace(id=run["examples"])],
                "statistics": [SimpleNamespace(id=artifact.id) for artifact in every],
            },
        )
        assert found["examples"] == []
        return [artifact.id for artifact in found["statistics"]]


@pytest.fixture
def runs():
    return Runs()


@pytest.mark.parametrize("days", [("", ""), ("2022-05-01", "2022-05-02")])
def test_the_first_run_has_none_and_the_next_has_the_firsts(runs, days):
    first = runs.run(days[0])
    assert runs.before(first) == []
    second = runs.run(days[1])
    assert runs.before(second) == [first["statistics"]]
    assert runs.before(first) == []


def test_other_statistics_of_the_same_examples_are_compared_with_the_same(runs):
    first, second = runs.run(), runs.run()
    runs.run(examples=second["examples"])
    assert runs.before(second) == [first["statistics"]]


def test_the_newest_statistics_of_the_examples_before(runs):
    first = runs.run()
    newer = runs.run(examples=first["examples"])
    assert runs.before(runs.run()) == [newer["statistics"]]


def test_a_day_that_is_run_again_is_compared_with_the_day_before(runs):
    first = runs.run("2022-05-01")
    second = runs.run("2022-05-02")
    again = runs.run("2022-05-02")
    assert runs.before(again) == runs.before(second) == [first["statistics"]]
    assert runs.before(runs.run("2022-05-03")) == [again["statistics"]]


def test_the_last_day_counts_and_not_the_last_run(runs):
    runs.run("2022-05-01")
    second = runs.run("2022-05-02")
    runs.run("2022-05-01")
    assert runs.before(runs.run("2022-05-03")) == [second["statistics"]]


def test_without_todays_examples_there_is_nothing_to_compare(runs):
    """As in a run that ends before them."""
    inputs = {"examples": [], "statistics": [SimpleNamespace(id=1)]}
    assert EarlierStatisticsStrategy().resolve_artifacts(None, inputs) == {
        "examples": [],
        "statistics": [],
    }


def test_statistics_of_serving_are_none_of_an_earlier_run(runs):
    first = runs.run()
    runs.serve()
    assert runs.before(runs.run()) == [first["statistics"]]
