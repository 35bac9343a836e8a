import numpy as np
import pytest

from experiments.trees.held_out import hold_out
from experiments.trees.rows import TreeRows


def rows(days, users=None):
    return TreeRows(
        features=np.zeros([len(days), 1], np.float32),
        labels={},
        days=np.array(days, np.int32),
        users=np.array(users or range(len(days)), np.int32),
    )


def test_the_last_training_day_is_held_out_in_whatever_order():
    held_out = hold_out(rows([19_001, 19_002, 19_000, 19_002]), by_day=True)
    assert held_out.rows.tolist() == [False, True, False, True]
    assert held_out.what == "the last training day, 2022-01-10"


@pytest.mark.parametrize(
    ("days", "by_day"), [([5] * 40, True), ([5, 6] * 20, False)], ids=["day", "users"]
)
def test_without_days_to_choose_from_whole_users_are(days, by_day):
    users = [row // 2 for row in range(40)]
    held_out = hold_out(rows(days, users), by_day)
    assert np.flatnonzero(held_out.rows).tolist() == [0, 1, 20, 21]
    assert held_out.what == "one user in ten"
