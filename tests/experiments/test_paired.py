"""The expected values are computed by hand."""

import math

import pytest

from experiments.paired import Spread, gate_means, slice_spreads


def row(slice, plain, control, model, task="like"):
    gauc = {"plain": plain, "control": control, "model": model, "popularity": 0.5}
    return {"task": task, "slice": slice, "gauc": gauc}


RESULTS = [
    {"gauc": [row("all", 0.70, 0.71, 0.73), row("new", 0.6, None, 0.6)]},
    {"gauc": [row("all", 0.72, 0.71, 0.74), row("new", 0.6, 0.6, 0.6)]},
    {"gauc": [row("all", 0.71, 0.74, 0.78), row("new", 0.6, 0.6, 0.6)]},
]


def test_differences_are_taken_within_each_seed():
    [everybody] = slice_spreads(RESULTS)
    assert (everybody.task, everybody.slice) == ("like", "all")
    to_plain = everybody.differences["model", "plain"]
    assert to_plain.values == pytest.approx((3.0, 2.0, 7.0))
    assert to_plain.mean == pytest.approx(4.0)
    deviation = math.sqrt((1 + 4 + 9) / 2)
    assert to_plain.deviation == pytest.approx(deviation)
    assert to_plain.standard_error == pytest.approx(deviation / math.sqrt(3))
    to_control = everybody.differences["model", "control"]
    assert to_control.values == pytest.approx((2.0, 3.0, 4.0))
    assert everybody.differences["control", "plain"].mean == pytest.approx(1.0)
    assert everybody.gauc["plain"].mean == pytest.approx(0.71)


def test_a_slice_without_a_gauc_in_one_seed_is_left_out():
    assert [spread.slice for spread in slice_spreads(RESULTS[1:])] == ["all", "new"]


def test_of_a_single_seed_there_is_no_spread():
    spread = Spread((0.5,))
    assert spread.mean == 0.5
    assert spread.deviation is None
    assert spread.standard_error is None


def test_gates_are_averaged_over_modules_and_seeds():
    def gates(*moved):
        return [{"moved": m, "between_codes": 2 * m, "between_units": 0} for m in moved]

    results = [
        {"gates": {"model": gates(0.1, 0.3), "control": gates(0.5, 0.5)}},
        {"gates": {"model": gates(0.2, 0.4), "control": gates(0.7, 0.7)}},
    ]
    means = gate_means(results)
    assert means["model"]["moved"] == pytest.approx(0.25)
    assert means["model"]["between_codes"] == pytest.approx(0.5)
    assert means["control"]["moved"] == pytest.approx(0.6)
