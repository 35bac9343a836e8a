"""When a call is tried again: only if the server did not take it, and only in time.

One policy for both protocols: gRPC's own would not cover REST, and its waiting times
cannot be held against a clock in a test.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from serving.protocol.errors import DeadlineExceeded, Unavailable

_T = TypeVar("_T")
_LONGEST_S = 1e6


class Interrupted(Unavailable):
    """The connection broke after the request was sent, so it is not sent again."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often a call is tried, and after what pauses.

    The pause before try n + 1 is uniform on [0, min(max_pause_s, first_pause_s * 2^n)]
    ("full jitter"), so that clients which failed together do not come back together.

    Attributes:
        tries: Most tries, the first one included; 1 never tries again.
        first_pause_s: Longest pause before the second try, seconds.
        max_pause_s: Longest pause before any try, seconds.
    """

    tries: int = 5
    first_pause_s: float = 0.1
    max_pause_s: float = 2.0

    def __post_init__(self) -> None:
        if self.tries < 1 or self.first_pause_s < 0 or self.max_pause_s < 0:
            raise ValueError(
                "expected at least one try and pauses of at least 0 s. Received: "
                f"{self}"
            )


class Deadline:
    """The moment until which a call must be done, with all its tries.

    Args:
        timeout_s: Seconds from now; more than the libraries can count are as many as
            they can, eleven days.
        clock: Seconds of a clock that never runs backwards.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic):
        if not timeout_s > 0:
            raise ValueError(f"`timeout_s` must be positive. Received: {timeout_s}")
        self._clock = clock
        self._end = clock() + min(timeout_s, _LONGEST_S)
        self._timeout_s = timeout_s

    def remaining_s(self) -> float:
        """Seconds left.

        Raises:
            DeadlineExceeded: If none are left.
        """
        left = self.left_s()
        if left <= 0:
            raise DeadlineExceeded(f"no answer within {self._timeout_s:g} s")
        return left

    def left_s(self) -> float:
        """Seconds left; negative after the deadline."""
        return self._end - self._clock()


class Retries:
    """Tries calls again while the server is unavailable.

    Args:
        policy: How often a call is tried, and after what pauses.
        clock: Seconds of a clock that never runs backwards.
        sleep: Waits for a number of seconds.
        uniform: Draws a number between two others.
    """

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ):
        self._policy = policy or RetryPolicy()
        self._clock = clock
        self._sleep = sleep
        self._uniform = uniform

    def deadline(self, timeout_s: float) -> Deadline:
        """A deadline by the same clock."""
        return Deadline(timeout_s, self._clock)

    def call(self, attempt: Callable[[float], _T], deadline: Deadline) -> _T:
        """Calls until it succeeds, an error is final, or the deadline passes.

        Args:
            attempt: Makes one try, given the seconds that are left.
            deadline: Of all tries together; no pause goes past it.

        Raises:
            ServingError: That of the last try.
        """
        try:
            return attempt(deadline.remaining_s())
        except Unavailable as error:
            failed = [error]

        def attempt_again() -> _T:
            if failed:
                raise failed.pop()
            return attempt(deadline.remaining_s())

        # Most calls succeed at once. They neither wait for this import (15 ms, or 45 ms
        # where tornado is installed) nor pay for the loop (20 microseconds).
        from tenacity import Retrying, retry_if_exception, stop_after_attempt
        from tenacity.wait import wait_exponential

        policy = self._policy
        # tenacity's `wait_random_exponential` and `stop_before_delay` are this, but by
        # a clock and a random number of their own.
        longest_s = wait_exponential(policy.first_pause_s, policy.max_pause_s)
        was_last = stop_after_attempt(policy.tries)
        retrying = Retrying(
            retry=retry_if_exception(_may_be_repeated),
            wait=lambda state: self._uniform(0, longest_s(state)),
            stop=lambda state: (
                was_last(state) or state.upcoming_sleep >= deadline.left_s()
            ),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(attempt_again)


def _may_be_repeated(error: BaseException) -> bool:
    """Whether the server did not take the request, so that sending it again is safe."""
    return isinstance(error, Unavailable) and not isinstance(error, Interrupted)
