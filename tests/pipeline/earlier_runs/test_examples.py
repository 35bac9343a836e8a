"""Which examples a day goes on from."""

import pytest
from tfx.types.standard_artifacts import Examples

from pipeline.earlier_runs.examples import EarlierExamplesStrategy


def examples(number, last_day):
    artifact = Examples()
    artifact.id = number
    if last_day:
        artifact.set_string_custom_property("last_day", last_day)
    return artifact


def chosen(before, *artifacts):
    strategy = EarlierExamplesStrategy(before)
    found = strategy.resolve_artifacts(None, {"examples": list(artifacts)})
    return [artifact.id for artifact in found["examples"]]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("2022-05-03", [3]),  # run twice: the later one
        ("2022-05-02", [1]),
        ("2022-05-01", []),
    ],
)
def test_the_last_day_before(before, expected):
    made = [
        examples(1, "2022-05-01"),
        examples(2, "2022-05-02"),
        examples(3, "2022-05-02"),
        examples(4, ""),  # Transform's
        examples(5, "2022-05-03"),
    ]
    assert chosen(before, *made) == expected


def test_the_first_run_has_none():
    assert chosen("2022-05-03") == []
