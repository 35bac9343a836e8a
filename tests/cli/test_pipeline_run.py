import io

import pytest
from rich.console import Console

from cli.pipeline_run import print_metrics


def row(slice, scored, **gauc):
    return {
        "task": "like",
        "slice": slice,
        "impressions": 12_000,
        "users_scored": scored,
        "gauc": gauc,
    }


@pytest.fixture
def metrics():
    data = {"rows_in": 9000, "examples": 8998, "rejects": 2, "warnings": ["a gap"]}
    return {
        "data": {**data, "by_reason": {"user_id is missing": 2}},
        "train_impressions": 8000,
        "eval_impressions": 998,
        "anomalies": ["a new country"],
        "notes": ["like: no user has both labels"],
        "serving_trial": {"problems": ["[grpc] other scores"]},
        "min_scored_users": 30,
        "gauc": [
            row("all", 300, model=0.7, plain=0.69, popularity=0.6),
            row("new", 3, model=None, plain=0.5),
        ],
    }


def printed(metrics):
    console = Console(file=io.StringIO(), width=110)
    print_metrics(console, metrics)
    return console.file.getvalue()


def test_counts_notes_problems_and_gains_in_percentage_points(metrics):
    text = printed(metrics)
    assert "9,000 rows in = 8,998 examples + 2 rejects" in text
    assert "rejected 2: user_id is missing" in text
    assert "note: a gap" in text
    assert "note: a new country" in text
    assert "note: like: no user has both labels" in text
    assert "not pushed: [grpc] other scores" in text
    lines = [line.split() for line in text.splitlines()]
    every = ["like", "all", "12,000", "300", "0.6900", "0.7000", "+1.00", "0.6000"]
    assert every in lines
    assert ["new", "12,000", "3", "0.5000", "-", "-", "-"] in lines


def test_without_a_plain_model_there_is_no_difference_to_it(metrics):
    for line in metrics["gauc"]:
        del line["gauc"]["plain"]
    text = printed(metrics)
    lines = [line.split() for line in text.splitlines()]
    header = ["task", "slice", "impressions", "users", "model", "popularity"]
    assert header in lines
    assert ["like", "all", "12,000", "300", "0.7000", "0.6000"] in lines
    assert "plain:" not in text
    assert "control:" not in text


def test_with_a_control_its_difference_stands_beside_that_to_the_plain_model(metrics):
    metrics["gauc"][0]["gauc"]["control"] = 0.7021
    metrics["gauc"][1]["gauc"]["control"] = None
    text = printed(metrics)
    lines = [line.split() for line in text.splitlines()]
    header = "task slice impressions users plain control POSO - plain - control"
    assert [*header.split(), "popularity"] in lines
    every = ["300", "0.6900", "0.7021", "0.7000", "+1.00", "-0.21", "0.6000"]
    assert ["like", "all", "12,000", *every] in lines
    assert ["new", "12,000", "3", "0.5000", "-", "-", "-", "-", "-"] in lines
    assert "control: the same gates, fed a constant code" in text


def test_a_long_name_leaves_the_numbers_whole(metrics):
    metrics["gauc"][0]["task"] = "L" * 64
    lines = [line.split() for line in printed(metrics).splitlines()]
    numbers = ["all", "12,000", "300", "0.6900", "0.7000", "+1.00", "0.6000"]
    [line] = [line for line in lines if "0.7000" in line]
    assert line[1:] == numbers
    assert sum(word.count("L") for words in lines for word in words[:1]) == 64
