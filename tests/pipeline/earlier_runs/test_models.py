from types import SimpleNamespace

import pytest

from pipeline.earlier_runs.models import (
    EarlierModelsStrategy,
    LastBlessedOtherStrategy,
)
from tests.helpers.run_history import CACHED, RunHistory

NODES = {"plain_model": "PlainTrainer"}


class Days:
    """Runs of days, each on the examples of the one before and its models."""

    def __init__(self):
        self.history = RunHistory()
        self.examples = {}  # the newest by day
        self.models = {}
        self._runs = 0

    def run(self, day, blessed=True, trainers=("Trainer", "PlainTrainer"), cached=None):
        """Runs a day; the day of another run's examples if `cached` names it."""
        history = self.history
        self._runs += 1
        history.begin(f"run-{self._runs}")
        before = list(self.examples.values())[-1:]
        if cached is None:
            days = {"last_day": day} if day else {}
            self.examples[day] = history.add(
                "ImpressionExampleGen", {"examples": "Examples"}, before, **days
            )["examples"]
        else:
            outputs = {"examples": self.examples[cached]}
            history.add("ImpressionExampleGen", outputs, before, state=CACHED)
        examples = self.examples[cached or day]
        graph = history.add(
            "Transform",
            {"transform_graph": "TransformGraph", "transformed_examples": "Examples"},
            [examples],
        )
        base = list(self.models.values())[-1:]
        made = {}
        for node in trainers:
            bases = [models[node] for models in base if node in models]
            read = [*graph.values(), *bases]
            made[node] = history.add(node, {"model": "Model"}, read)["model"]
        model = made["Trainer"]
        history.add(
            "Evaluator",
            {"blessing": "ModelBlessing"},
            [examples, model],
            blessed=int(blessed),
            current_model_id=model,
        )
        self.models[self._runs] = made
        return made

    def base(self, day, nodes=NODES):
        """What the models of a day's newest examples start from, by input."""
        store = self.history.store
        by_type = {
            kind: [_artifact(a) for a in store.get_artifacts_by_type(kind)]
            for kind in ("Model", "ModelBlessing")
        }
        found = EarlierModelsStrategy(nodes).resolve_artifacts(
            store,
            {
                "examples": [_artifact(self.history.artifact(self.examples[day]))],
                "model_blessing": by_type["ModelBlessing"],
                "model": by_type["Model"],
                **dict.fromkeys(nodes, by_type["Model"]),
            },
        )
        assert found["model_blessing"] == found["examples"] == []
        return {key: [a.id for a in found[key]] for key in ("model", *nodes)}


def _artifact(stored):
    """As TFX hands it to a strategy."""

    def number(name):
        return stored.custom_properties[name].int_value

    return SimpleNamespace(id=stored.id, get_int_custom_property=number)


@pytest.fixture
def days():
    return Days()


def of(models):
    return {"model": [models["Trainer"]], "plain_model": [models["PlainTrainer"]]}


NOTHING = {"model": [], "plain_model": []}


def test_the_first_day_has_none(days):
    days.run("2022-05-01")
    assert days.base("2022-05-01") == NOTHING


def test_a_day_starts_from_the_one_before(days):
    days.run("2022-05-01")
    second = days.run("2022-05-02")
    days.run("2022-05-03")
    assert days.base("2022-05-03") == of(second)


def test_a_day_that_is_run_again_starts_from_the_same_as_before(days):
    first = days.run("2022-05-01")
    days.run("2022-05-02")
    assert days.base("2022-05-02") == of(first)
    days.run("2022-05-03")
    assert days.base("2022-05-02") == of(first)
    days.run("2022-05-02")  # of a log that has changed: new examples
    assert days.base("2022-05-02") == of(first)


def test_what_is_not_blessed_is_passed_over_with_its_baseline(days):
    first = days.run("2022-05-01")
    days.run("2022-05-02", blessed=False)
    days.run("2022-05-03")
    assert days.base("2022-05-03") == of(first)


def test_a_run_without_the_baseline_is_passed_over(days):
    """Otherwise a warm model would be compared with a cold one."""
    first = days.run("2022-05-01")
    second = days.run("2022-05-02", trainers=("Trainer",))
    days.run("2022-05-03")
    assert days.base("2022-05-03") == of(first)
    assert days.base("2022-05-03", {}) == {"model": [second["Trainer"]]}


def test_a_baseline_trained_in_a_later_run_of_the_same_examples_counts(days):
    days.run("2022-05-01", trainers=("Trainer",))
    days.history.begin("run-1-again")
    model = days.models[1]["Trainer"]
    days.history.add("Trainer", {"model": model}, state=CACHED)
    plain = days.history.add("PlainTrainer", {"model": "Model"})["model"]
    days.run("2022-05-02")
    assert days.base("2022-05-02") == {"model": [model], "plain_model": [plain]}


def test_without_days_examples_that_were_made_before_are_earlier(days):
    first = days.run("")
    days.run("", cached="")  # another learning rate on the same log
    assert days.base("") == NOTHING
    days.run("")
    assert days.base("")["model"] == [days.models[2]["Trainer"]]
    assert first != days.models[2]


def blessed_other(days, current):
    """The last blessed model but another, and what else is resolved."""
    by_type = {
        kind: [_artifact(a) for a in days.history.store.get_artifacts_by_type(kind)]
        for kind in ("Model", "ModelBlessing")
    }
    found = LastBlessedOtherStrategy().resolve_artifacts(
        days.history.store,
        {
            "model": by_type["Model"],
            "model_blessing": by_type["ModelBlessing"],
            "current_model": [SimpleNamespace(id=current)],
        },
    )
    assert found["model_blessing"] == found["current_model"] == []
    return [artifact.id for artifact in found["model"]]


def test_a_new_model_is_compared_with_the_last_blessed_one(days):
    assert blessed_other(days, days.run("", blessed=False)["Trainer"]) == []
    first = days.run("")["Trainer"]
    second = days.run("", blessed=False)["Trainer"]
    assert blessed_other(days, second) == [first]


def test_a_model_that_was_blessed_is_compared_with_the_same_when_it_is_run_again(days):
    first, second = (days.run("")["Trainer"] for _ in range(2))
    assert blessed_other(days, second) == [first]


def test_an_older_model_is_compared_with_what_was_blessed_since(days):
    """A setting that is taken back: its model, from the cache, is judged anew."""
    first, second = (days.run("")["Trainer"] for _ in range(2))
    assert blessed_other(days, first) == [second]
