"""Waiting for what another thread or process brings about."""

import time


def wait_until(condition, timeout_s: float = 60.0):
    """The condition's first true value; fails when none comes in time."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{condition} did not come true"
        time.sleep(0.005)  # between two looks; what ends the wait is the condition
    return value
