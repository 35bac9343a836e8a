import pytest

from benchmarks.interleaved import Spread, measure


class FakeClock:
    """Contestants that say how long they took and leave a trace of their turns."""

    def __init__(self, **seconds):
        self.turns = []
        self.blocks = {
            name: lambda count, name=name, s=s: self._block(name, count, s)
            for name, s in seconds.items()
        }

    def _block(self, name, count, seconds):
        self.turns.append((name, count))
        return count * seconds


def test_contestants_take_turns_in_changing_order():
    clock = FakeClock(a=1.0, b=2.0)
    measure(clock.blocks, repeats=4, block_s=0.5)
    assert "".join(name for name, _ in clock.turns[-8:]) == "abbaabba"


def test_short_calls_are_repeated_until_they_fill_a_block():
    clock = FakeClock(short=0.001, long=1.0)
    rounds = measure(clock.blocks, repeats=3, block_s=0.1)
    counts = dict(clock.turns[-2:])
    assert counts["long"] == 1
    assert counts["short"] >= 100
    assert rounds.time("short").median == pytest.approx(0.001)


def test_a_ratio_is_taken_within_each_round():
    speeds = iter([1, 1, 1, 10, 100])  # two calls of warm-up, then a slowing machine

    class Machine:
        now = 1.0

    def fast(count):
        Machine.now = next(speeds)
        return count * Machine.now

    rounds = measure(
        {"fast": fast, "slow": lambda count: 3 * count * Machine.now},
        repeats=3,
        block_s=0.0,
    )
    # In the second round "slow" goes first, still at the first round's speed.
    ratios = rounds.seconds["slow"] / rounds.seconds["fast"]
    assert rounds.ratio("slow", "fast") == Spread.of(ratios)
    assert rounds.ratio("slow", "fast").median == 3
