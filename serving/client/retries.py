"""When a call is tried again: only where the server did not take it, and in time.

One loop for both protocols. gRPC's own retry policy would not cover REST, and its
waiting times cannot be held against a clock in a test.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from serving.protocol.errors import DeadlineExceeded, Unavailable

_T = TypeVar("_T")


class Interrupted(Unavailable):
    """The connection broke after the request was sent, so it is not sent again."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often, and after what pause.

    The pause before try n + 1 is uniform on [0, min(max_pause_s, first_pause_s * 2^n)]
    ("full jitter"), so that clients which failed together do not come back together.

    Attributes:
        tries: Calls at the most, the first one included; 1 never tries again.
        first_pause_s: Longest pause before the second try, seconds.
        max_pause_s: Longest pause at all, seconds.
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
    """The moment until which a call with all its tries must be done.

    Args:
        timeout_s: Seconds from now.
        clock: Seconds that never run backwards.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic):
        if not timeout_s > 0:
            raise ValueError(f"`timeout_s` must be positive. Received: {timeout_s}")
        self._clock = clock
        self._end = clock() + timeout_s
        self._timeout_s = timeout_s

    def remaining_s(self) -> float:
        """Seconds left.

        Raises:
            DeadlineExceeded: None is.
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
        policy: How often, and after what pause.
        clock: Seconds that never run backwards.
        sleep: Waits for so many seconds.
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
        """Calls until an answer comes, a retry is of no use, or time is up.

        Args:
            attempt: Gets the seconds that are left.
            deadline: Of all tries together; no pause goes past it.

        Raises:
            ServingError: Of the last try.
        """
        for tried in range(self._policy.tries):
            try:
                return attempt(deadline.remaining_s())
            except Interrupted:
                raise
            except Unavailable:
                longest = self._policy.first_pause_s * 2**tried
                pause = self._uniform(0, min(longest, self._policy.max_pause_s))
                last = tried == self._policy.tries - 1
                if last or pause >= deadline.left_s():
                    raise
            self._sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")
