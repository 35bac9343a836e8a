"""Which examples and vocabularies a day goes on from."""

import pytest
from tfx.types.standard_artifacts import Examples, TransformGraph

from pipeline.earlier_runs.day import EarlierDayStrategy
from tests.helpers.run_history import RunHistory

DAYS = ["2022-05-01", "2022-05-02", "2022-05-02", "2022-05-03"]  # one was run twice


@pytest.fixture(scope="module")
def history():
    """Runs of days; that of the last ended before its Transform."""
    runs = RunHistory()
    for number, day in enumerate(DAYS):
        runs.begin(f"run-{number}")
        dated = {"last_day": day, "of_a_date": "true"}
        made = runs.add("ImpressionExampleGen", {"examples": "Examples"}, **dated)
        if number < len(DAYS) - 1:
            outputs = {"transform_graph": "TransformGraph", "examples": "Examples"}
            runs.add("Transform", outputs, list(made.values()))
    runs.begin("of some log")
    day = {"last_day": "2022-05-03"}
    runs.add("ImpressionExampleGen", {"examples": "Examples"}, **day)
    return runs


def artifacts(history, kind):
    for stored in history.store.get_artifacts_by_type(kind.TYPE_NAME):
        artifact = kind()
        artifact.id = stored.id
        for name, value in stored.custom_properties.items():
            artifact.set_string_custom_property(name, value.string_value)
        yield artifact


def chosen(history, before):
    """The days, with their run's number, of the examples and of the graph."""
    found = EarlierDayStrategy(before).resolve_artifacts(
        history.store,
        {
            "examples": list(artifacts(history, Examples)),
            "transform_graph": list(artifacts(history, TransformGraph)),
        },
    )
    return [[artifact.id for artifact in found[name]] for name in found]


def test_the_newest_of_the_days_before(history):
    examples = [a.id for a in artifacts(history, Examples) if "last_day" in str(a)]
    graphs = [a.id for a in artifacts(history, TransformGraph)]
    assert len(examples) == 5
    assert chosen(history, "2022-05-04") == [[examples[3]], [graphs[2]]]
    assert chosen(history, "2022-05-03") == [[examples[2]], [graphs[2]]]
    assert chosen(history, "2022-05-02") == [[examples[0]], [graphs[0]]]


def test_the_first_day_has_none(history):
    assert chosen(history, "2022-05-01") == [[], []]
