import datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from preprocessing.arrays.cell_match import cells_in


@pytest.mark.parametrize(
    ("cells", "values", "found"),
    [
        ([0, 1, 2, None], (1, 0), [True, True, False, False]),
        ([0, 1, 2], ("1", "0"), [True, True, False]),
        ([0, 1, 2], (1.0, "x", 0.5), [False, True, False]),
        ([2**60, 2**60 + 1], (2**60,), [True, False]),
        ([1.0, 0.5, float("nan")], (1, "0.5"), [True, True, False]),
        ([Decimal("1.50"), Decimal(2)], (1.5,), [True, False]),
        ([True, False, None], (1,), [True, False, False]),
        ([True, False], (False,), [False, True]),
        (["1", "1.0", " 1", "01", "x", None], (1,), [True] * 4 + [False] * 2),
        (["1", "1.0", "x"], ("1",), [True, False, False]),
        (["true", "True", "1", "x"], (True,), [True, True, True, False]),
        ([b"\xff", b"buy", b""], ("buy", ""), [False, True, True]),
        ([b"\xff", b"1"], (1,), [False, True]),
        ([datetime.date(2022, 5, 1)], ("2022-05-01",), [True]),
        ([None, None], (1, ""), [False, False]),
        ([], (1,), []),
    ],
)
def test_cells_are_compared_as_text_and_numbers_as_numbers(cells, values, found):
    assert cells_in(pa.array(cells), values).tolist() == found


def test_a_dictionary_is_its_values():
    column = pa.array(["a", "b", None]).dictionary_encode()
    assert cells_in(column, ("b",)).tolist() == [False, True, False]


def test_a_number_that_the_column_cannot_hold_is_in_none():
    assert cells_in(pa.array([1], pa.int8()), (1000, 1)).tolist() == [True]
