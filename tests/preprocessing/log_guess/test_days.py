"""How a log is split, by the days it covers."""

import numpy as np
import pytest

from preprocessing.log_guess.days import guess_split

_DAY = 86_400_000.0
_FIRST = 1_650_000_000_000 // 86_400_000 * _DAY


@pytest.mark.parametrize(
    ("days", "users", "total", "expected"),
    [
        (10, 200, 2000, {"by": "day", "train_days": 7, "eval_days": 1}),
        (3, 200, 2000, {"by": "day", "train_days": 2, "eval_days": 1}),
        (1, 200, 2000, {"by": "user", "train_user_share": 0.8}),
        (900, 200, 2000, {"by": "user", "train_user_share": 0.8}),
        (900, 200, 9_000_000, {"by": "day", "train_days": 7, "eval_days": 1}),
    ],
)
def test_a_day_must_have_users_to_be_judged_by(days, users, total, expected):
    rows = np.arange(2000)
    times = _FIRST + rows * (days * _DAY - 1) / 2000
    split = guess_split(times, rows % users, 0.0, total, True)
    assert split.entries == expected
    assert split.sure


def test_one_day_of_a_log_that_goes_on_is_no_log_of_one_day():
    times = _FIRST + np.arange(500) * 1000.0
    split = guess_split(times, np.arange(500) % 50, 0.0, 1_000_000, False)
    assert split.entries["by"] == "day"
    assert not split.sure
