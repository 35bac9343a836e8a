import numpy as np
import pytest

from preprocessing.checks.times import check_time_ms, implausible_times


@pytest.mark.parametrize(
    ("time", "problem"),
    [
        (1_650_000_000, "looks like seconds"),
        (1_650_000_000_000_000, "looks like microseconds"),
        (1_650_000_000_000_000_000, "looks like nanoseconds"),
        (-1, "is out of range"),
        (5 * 10**16, "is out of range"),
        (2**70, "looks like nanoseconds"),
        (-(2**70), "is out of range"),
    ],
)
def test_a_moment_in_another_unit_is_named(time, problem):
    with pytest.raises(ValueError, match=f"`now` .*{problem}.*Received: {time}$"):
        check_time_ms("now", time)


def test_present_times_are_fine_in_milliseconds_alone():
    years = np.datetime64("2002-01-01") + np.arange(0, 80 * 365, 30)
    ms = years.astype("datetime64[ms]").astype(np.int64)
    assert not any(broken.any() for broken, _ in implausible_times(ms))
    check_time_ms("now", int(ms[0]))
    for wrong in (ms // 1000, ms * 1000, ms * 1_000_000):
        assert next(b.all() for b, _ in implausible_times(wrong) if b.any())
