import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.client.retries import Deadline, Interrupted, Retries, RetryPolicy
from serving.protocol.errors import (
    DeadlineExceeded,
    Internal,
    InvalidArgument,
    ResourceExhausted,
    Unavailable,
)


class Clock:
    """Time that passes only where something waits, or a call takes `call_s`."""

    def __init__(self, call_s=0.0):
        self.now = 100.0
        self.pauses = []
        self.call_s = call_s

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now += seconds


class Server:
    """Raises each of the errors once, then answers."""

    def __init__(self, clock, *errors):
        self.clock = clock
        self.errors = list(errors)
        self.given = []

    def __call__(self, timeout_s):
        self.given.append(timeout_s)
        self.clock.now += self.clock.call_s
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


def retries(clock, draw=lambda low, high: high, **policy):
    return Retries(RetryPolicy(**policy), clock, clock.sleep, draw)


def test_pauses_double_up_to_the_longest_and_the_time_left_shrinks():
    clock = Clock(call_s=0.5)
    server = Server(clock, *[Unavailable("busy")] * 4)
    several = retries(clock, tries=5, first_pause_s=1.0, max_pause_s=3.0)
    assert several.call(server, several.deadline(30)) == "answer"
    assert clock.pauses == [1.0, 2.0, 3.0, 3.0]
    assert server.given == [30.0, 28.5, 26.0, 22.5, 19.0]


def test_gives_up_after_the_last_try_with_its_error():
    clock = Clock()
    server = Server(clock, *[Unavailable(str(n)) for n in range(9)])
    several = retries(clock, tries=3)
    with pytest.raises(Unavailable, match="2"):
        several.call(server, several.deadline(30))
    assert len(server.given) == 3
    assert len(clock.pauses) == 2


@pytest.mark.parametrize(
    "error",
    [
        Internal("x"),
        InvalidArgument("x"),
        ResourceExhausted("x"),
        DeadlineExceeded("x"),
        Interrupted("x"),
    ],
)
def test_nothing_else_is_tried_again(error):
    clock = Clock()
    server = Server(clock, error)
    several = retries(clock)
    with pytest.raises(type(error)):
        several.call(server, several.deadline(30))
    assert len(server.given) == 1


def test_no_pause_goes_past_the_deadline():
    clock = Clock()
    server = Server(clock, *[Unavailable("busy")] * 9)
    several = retries(clock, tries=9, first_pause_s=1.0, max_pause_s=100.0)
    with pytest.raises(Unavailable):
        several.call(server, several.deadline(3.5))
    assert clock.pauses == [1.0, 2.0]  # the next, 4 s, would end too late


def test_a_deadline_that_has_passed_makes_no_call():
    clock = Clock()
    deadline = Deadline(1.0, clock)
    clock.now += 1.0
    server = Server(clock)
    with pytest.raises(DeadlineExceeded, match="within 1 s"):
        retries(clock).call(server, deadline)
    assert not server.given


@given(
    failures=st.integers(0, 12),
    tries=st.integers(1, 8),
    timeout_s=st.floats(0.01, 20),
    call_s=st.floats(0, 3),
    share=st.floats(0, 1),
)
def test_whatever_happens_no_try_begins_after_the_deadline(
    failures, tries, timeout_s, call_s, share
):
    clock = Clock(call_s)
    begun = []
    server = Server(clock, *[Unavailable("busy")] * failures)

    def attempt(left_s):
        begun.append(clock.now)
        assert left_s > 0
        return server(left_s)

    several = retries(clock, lambda low, high: low + share * (high - low), tries=tries)
    end = clock.now + timeout_s
    try:
        assert several.call(attempt, several.deadline(timeout_s)) == "answer"
        assert len(begun) == failures + 1
    except (Unavailable, DeadlineExceeded):
        assert len(begun) <= min(tries, failures)
    assert all(moment < end for moment in begun)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="at least one try"):
        RetryPolicy(tries=0)
    with pytest.raises(ValueError, match="must be positive"):
        Deadline(0)
