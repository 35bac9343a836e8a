from collections import Counter

import pytest

from pipeline.examples.last_day import last_day


def log(*counts, first=100):
    return Counter({first + day: count for day, count in enumerate(counts) if count})


@pytest.mark.parametrize(
    ("counts", "window", "expected"),
    [
        (log(*[9] * 12), (3, 1), 111),
        (log(*[9] * 4), (3, 1), 103),
        # Fewer days than the window has, down to two.
        (log(9, 9), (7, 1), 101),
        # A gap before the end, and one within a window of two days to evaluate on.
        (log(9, 9, 9, 0, 9), (3, 1), 104),
        (log(9, 9, 9, 0, 9), (2, 2), 104),
        # A day that is less than a tenth of the others has only begun ...
        (log(100, 100, 100, 9), (2, 1), 102),
        (log(100, 100, 100, 10), (2, 1), 103),
        # ... but is all that there is to evaluate on in a log of two days.
        (log(1000, 20), (7, 1), 101),
        # Wrong clocks: a row in ten years, one on each of many days, one before 1970.
        (log(100, 100, 100) + Counter({4000: 1}), (2, 1), 102),
        (log(100, 100, 100) + Counter({4000: 1, -3: 1}), (2, 1), 102),
        (log(*[100] * 8) + Counter(range(4000, 4030)), (7, 1), 107),
        (log(1000, 20) + Counter({4000: 1}), (7, 1), 101),
        # Too few rows a day to tell: the newest day before which there are any.
        (log(5, 5, 5) + Counter({4000: 1}), (2, 1), 102),
        (log(*[100] * 8) + Counter({4000: 20}), (7, 1), 107),
        (log(5, 5) + Counter({3000: 1, 4000: 1}), (2, 1), 101),
        (log(*[100] * 3) + Counter({500: 100, 501: 100}), (2, 1), 501),
        # A week between the days is within the window, nine days are not.
        (Counter({100 + 7 * week: 9 for week in range(6)}), (7, 1), 135),
        (Counter({100 + 9 * turn: 9 for turn in range(6)}), (7, 1), 145),
        # A single full day, first or in the middle, is no usual day.
        (log(9000, 30, 30, 30), (2, 1), 103),
        (log(30, 9000, 30, 30), (2, 1), 103),
        (log(5), (7, 1), 100),
        (Counter(), (7, 1), 0),
    ],
)
def test_the_window_ends_on_the_newest_day_that_is_no_stray(counts, window, expected):
    assert last_day(counts, *window) == expected
