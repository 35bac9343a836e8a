import numpy as np
import pytest

from preprocessing.features.rates.counting import DaySums, KeyEvents, count_before
from preprocessing.state.schema import StateError

NOTHING = DaySums(*(np.zeros(0, np.int64),) * 2, *(np.zeros((1, 0)),) * 2)


def events(*rows):
    """Of (key, time, day, value)."""
    key, time_ms, day, value = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return KeyEvents(key, time_ms, day, value[None])


def state(*rows):
    """Of (key, day, before, today)."""
    key, day, before, today = np.array(rows, dtype=np.float64).reshape(-1, 4).T
    return DaySums(
        key.astype(np.int64), day.astype(np.int64), before[None], today[None]
    )


def counts(*rows, known=NOTHING, by_moment=True, half_life_days=None):
    found, _ = count_before(events(*rows), known, by_moment, half_life_days)
    return found[0].tolist()


def test_no_events_have_no_counts():
    found, after = count_before(events(), NOTHING, True, 2.0)
    assert found.shape == (1, 0)
    assert len(after.key) == 0


def test_ties_do_not_see_each_other_in_any_order():
    rows = [(0, 5, 0, 1), (0, 5, 0, 1), (0, 9, 0, 1), (1, 7, 0, 1)]
    assert counts(*rows) == [0, 0, 2, 0]
    assert counts(*rows[::-1]) == [0, 2, 0, 0]


def test_by_the_day_counts_stand_still():
    rows = [(0, 1, 0, 1), (0, 2, 0, 1), (0, 30, 1, 1), (0, 31, 1, 1), (0, 99, 3, 0)]
    assert counts(*rows, by_moment=False) == [0, 0, 2, 2, 4]


def test_a_state_on_the_same_day_counts_by_the_moment_alone():
    known = state((0, 1, 10, 4))
    row = (0, 40, 1, 1)
    assert counts(row, known=known) == [14]
    assert counts(row, known=known, by_moment=False) == [10]
    assert counts((0, 80, 2, 1), known=known, by_moment=False) == [14]


def test_sums_halve_with_the_half_life():
    known = state((0, 1, 8, 4))
    assert counts((0, 1, 3, 1), (0, 2, 5, 1), known=known, half_life_days=2) == [6, 3.5]


def test_the_next_state_holds_every_key_once():
    known = state((0, 1, 10, 4), (7, 1, 2, 1))
    _, after = count_before(
        events((0, 40, 1, 1), (0, 90, 3, 5), (3, 90, 3, 2)), known, True, None
    )
    rows = zip(after.key, after.day, after.before[0], after.today[0], strict=True)
    assert sorted(map(tuple, rows)) == [(0, 3, 15, 5), (3, 3, 0, 2), (7, 1, 2, 1)]


def test_times_too_far_apart_for_one_number_are_sorted_as_well():
    far = 2**61
    rows = [(3, far, 9, 1), (3, -far, 0, 1), (9, 0, 5, 1), (3, 0, 5, 1)]
    assert counts(*rows) == [2, 0, 0, 1]


def test_a_state_that_names_a_key_twice_is_an_error():
    with pytest.raises(StateError, match="each key once"):
        counts((0, 40, 1, 1), known=state((0, 1, 1, 1), (0, 1, 1, 1)))
