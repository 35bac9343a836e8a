"""The expected values are computed by hand."""

import numpy as np
import pytest

from poso_keras.diagnostics import GateNumbers
from poso_keras.diagnostics.gate_numbers import gate_numbers


def close_to(moved, between_codes, between_units):
    return pytest.approx(
        GateNumbers(moved, between_codes, between_units).to_dict(), abs=1e-12
    )


def test_one_unit_hears_the_code_and_one_has_moved_away():
    # Shares of the scale 2: unit 1 is at 0.5 and 0.7, unit 2 at 0.25 for both codes.
    numbers = gate_numbers(np.array([[1.0, 0.5], [1.4, 0.5]]), scale=2.0)
    moved = (0.0 + 0.25 + 0.2 + 0.25) / 4
    assert numbers.to_dict() == close_to(moved, (0.1 + 0.0) / 2, 0.05)


def test_units_that_move_in_step_do_not_differ():
    # Shares 0.2, 0.6 and 0.4, 0.8: each unit rises by 0.4.
    numbers = gate_numbers(np.array([[0.2, 0.4], [0.6, 0.8]]), scale=1.0)
    assert numbers.to_dict() == close_to((0.3 + 0.1 + 0.1 + 0.3) / 4, 0.2, 0.0)


def test_units_that_move_apart_differ_as_much_as_the_codes():
    # About their means the units are at -0.1, 0.1 and 0.1, -0.1.
    numbers = gate_numbers(np.array([[0.4, 0.6], [0.6, 0.4]]), scale=1.0)
    assert numbers.to_dict() == close_to(0.1, 0.1, 0.1)


def test_a_constant_code_tells_neither_codes_nor_units_apart():
    outputs = np.tile([[0.5, 1.5, 1.25]], (6, 1))
    numbers = gate_numbers(outputs, scale=2.0)
    assert numbers.to_dict() == close_to((0.25 + 0.25 + 0.125) / 3, 0.0, 0.0)


def test_a_recorded_start_is_what_moving_is_measured_from():
    start = np.array([[0.8, 1.0], [1.2, 1.0]])
    numbers = gate_numbers(start + 0.2, scale=2.0, start=start)
    assert numbers.to_dict() == close_to(0.1, 0.05, 0.05)
    assert gate_numbers(start, 2.0, start).moved == 0.0


def test_a_start_of_another_shape_is_an_error():
    with pytest.raises(ValueError, match=r"\(4, 2\). Received: \(3, 2\)"):
        gate_numbers(np.ones((4, 2)), 1.0, np.ones((3, 2)))
