"""The scheduler on a loop whose clock the tests set, with a model that they hold."""

import asyncio
import threading

import numpy as np
import pytest

from serving.protocol.errors import DeadlineExceeded, InvalidArgument, Unavailable
from serving.protocol.tensor_spec import TYPE_BY_NUMPY, SignatureSpec, TensorSpec
from serving.server.batching.scheduler import BatchScheduler
from serving.server.models.saved_model import Signature
from serving.server.settings.batching_config import BatchingParameters

X = TensorSpec("x", TYPE_BY_NUMPY[np.dtype(np.int64)], (None,))


class Doubler(Signature):
    """y = 2 x; notes the batches it is given, and waits while it is held."""

    def __init__(self):
        super().__init__("doubled", SignatureSpec({"x": X}, {"y": X}), None)
        object.__setattr__(self, "batches", [])
        object.__setattr__(self, "go_on", threading.Event())
        self.go_on.set()

    def run(self, inputs):
        self.batches.append(inputs["x"].tolist())
        assert self.go_on.wait(30)
        return {"y": 2 * inputs["x"]}


class SetLoop(asyncio.SelectorEventLoop):
    """An event loop that believes what it is told of the time."""

    def __init__(self):
        super().__init__()
        self.now = 1000.0

    def time(self):
        return self.now

    async def advance(self, seconds):
        """Lets what was asked begin, time pass, and timers fire."""
        await settle()
        self.now += seconds
        await settle()


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
def model():
    return Doubler()


@pytest.fixture
def scheduled():
    """Runs a test's coroutine with a scheduler, and closes it."""

    def run(test, observe=None, **parameters):
        loop = SetLoop()
        parameters = {"max_batch_size": 4, "num_batch_threads": 1, **parameters}
        scheduler = BatchScheduler(BatchingParameters(**parameters), observe)
        try:
            loop.run_until_complete(test(scheduler, loop))
            assert scheduler.waiting == 0
        finally:
            scheduler.close()
            loop.close()

    return run


def ask(scheduler, model, *values, deadline=None):
    inputs = {"x": np.array(values, np.int64)}
    return asyncio.ensure_future(scheduler.run(model, inputs, deadline))


async def answer(request):
    return (await request)["y"].tolist()


def test_requests_at_hand_are_run_together(model, scheduled):
    async def test(scheduler, loop):
        requests = [ask(scheduler, model, 1), ask(scheduler, model, 2, 3)]
        assert [await answer(one) for one in requests] == [[2], [4, 6]]
        assert model.batches == [[1, 2, 3]]

    scheduled(test)


def test_what_comes_while_threads_are_busy_is_merged(model, scheduled):
    async def test(scheduler, loop):
        model.go_on.clear()
        first = ask(scheduler, model, 1)
        await settle()
        others = [ask(scheduler, model, value) for value in (2, 3, 4)]
        await settle()
        assert scheduler.waiting == 3
        model.go_on.set()
        assert [await answer(one) for one in [first, *others]] == [[2], [4], [6], [8]]
        assert model.batches == [[1], [2, 3, 4]]

    scheduled(test)


def test_an_idle_thread_waits_for_others_until_the_timeout(model, scheduled):
    async def test(scheduler, loop):
        first = ask(scheduler, model, 1)
        await loop.advance(0.5)
        second = ask(scheduler, model, 2)
        await loop.advance(0.25)
        assert model.batches == []
        await loop.advance(0.25)
        assert [await answer(first), await answer(second)] == [[2], [4]]
        assert model.batches == [[1, 2]]

    scheduled(test, batch_timeout_micros=1_000_000)


def test_a_full_batch_does_not_wait_for_the_timeout(model, scheduled):
    async def test(scheduler, loop):
        requests = [ask(scheduler, model, value) for value in range(4)]
        assert [await answer(one) for one in requests] == [[0], [2], [4], [6]]

    scheduled(test, batch_timeout_micros=1_000_000)


def test_draining_waits_for_nobody(model, scheduled):
    async def test(scheduler, loop):
        before = ask(scheduler, model, 1)
        await settle()
        assert model.batches == []
        scheduler.drain()
        after = ask(scheduler, model, 2)
        assert [await answer(before), await answer(after)] == [[2], [4]]

    scheduled(test, batch_timeout_micros=1_000_000)


def test_a_full_queue_refuses(model, scheduled):
    async def test(scheduler, loop):
        model.go_on.clear()
        running = ask(scheduler, model, 1)
        await settle()
        waiting = ask(scheduler, model, 1, 2, 3)
        await settle()
        with pytest.raises(Unavailable):
            await ask(scheduler, model, 4, 5)
        model.go_on.set()
        assert [await answer(running), await answer(waiting)] == [[2], [2, 4, 6]]

    scheduled(test, max_enqueued_batches=1)


def test_a_request_is_given_up_at_its_deadline_and_not_run(model, scheduled):
    async def test(scheduler, loop):
        model.go_on.clear()
        running = ask(scheduler, model, 1)
        await settle()
        late = ask(scheduler, model, 2, deadline=loop.time() + 1)
        early = ask(scheduler, model, 3, deadline=loop.time() + 9)
        await loop.advance(0.75)
        assert not late.done()
        await loop.advance(0.25)
        with pytest.raises(DeadlineExceeded):
            await late
        model.go_on.set()
        assert [await answer(running), await answer(early)] == [[2], [6]]
        assert model.batches == [[1], [3]]

    scheduled(test)


def test_what_is_due_with_its_deadline_is_not_run(model, scheduled):
    async def test(scheduler, loop):
        with pytest.raises(DeadlineExceeded):
            await ask(scheduler, model, 2, deadline=loop.time())
        assert model.batches == []

    scheduled(test)


def test_a_cancelled_request_leaves_the_queue(model, scheduled):
    async def test(scheduler, loop):
        model.go_on.clear()
        running = ask(scheduler, model, 1)
        await settle()
        cancelled, kept = ask(scheduler, model, 2), ask(scheduler, model, 3)
        await settle()
        cancelled.cancel()
        await settle()
        assert scheduler.waiting == 1
        model.go_on.set()
        assert [await answer(running), await answer(kept)] == [[2], [6]]
        assert model.batches == [[1], [3]]

    scheduled(test)


def test_one_cancelled_while_it_runs_takes_nobody_with_it(model, scheduled):
    async def test(scheduler, loop):
        model.go_on.clear()
        cancelled, kept = ask(scheduler, model, 1), ask(scheduler, model, 2)
        await settle()
        cancelled.cancel()
        await settle()
        model.go_on.set()
        assert await answer(kept) == [4]
        assert await answer(ask(scheduler, model, 5)) == [10]

    scheduled(test)


def test_signatures_take_turns(scheduled):
    one, other = Doubler(), Doubler()
    object.__setattr__(other, "batches", one.batches)

    async def test(scheduler, loop):
        one.go_on.clear()
        requests = [ask(scheduler, one, 0)]
        await settle()
        requests += [ask(scheduler, one, *[1] * 4), ask(scheduler, one, *[2] * 4)]
        requests += [ask(scheduler, other, 3)]
        await settle()
        one.go_on.set()
        await asyncio.gather(*requests)
        assert one.batches == [[0], [1] * 4, [3], [2] * 4]

    scheduled(test)


def test_several_threads_run_batches_at_once(model, scheduled):
    async def test(scheduler, loop):
        model.go_on.clear()
        requests = [ask(scheduler, model, *[value] * 4) for value in range(3)]
        await settle()
        assert scheduler.waiting == 1
        model.go_on.set()
        await asyncio.gather(*requests)

    scheduled(test, num_batch_threads=2)


def test_a_request_larger_than_allowed_is_refused(model, scheduled):
    async def test(scheduler, loop):
        with pytest.raises(InvalidArgument, match=r"size 5 is larger .* size 4"):
            await ask(scheduler, model, *range(5))

    scheduled(test)


def test_a_large_request_is_split_and_put_together_again(model, scheduled):
    async def test(scheduler, loop):
        assert await answer(ask(scheduler, model, *range(7))) == list(range(0, 14, 2))
        assert model.batches == [[0, 1, 2], [3, 4, 5], [6]]

    scheduled(
        test,
        max_batch_size=8,
        enable_large_batch_splitting=True,
        max_execution_batch_size=3,
    )


def test_no_part_of_a_split_request_stays_when_another_is_refused(model, scheduled):
    async def test(scheduler, loop):
        model.go_on.clear()
        running = ask(scheduler, model, 9)
        await settle()
        with pytest.raises(Unavailable):
            await ask(scheduler, model, *range(7))
        await settle()
        assert scheduler.waiting == 0
        model.go_on.set()
        await running
        assert model.batches == [[9]]

    scheduled(
        test,
        max_batch_size=8,
        max_enqueued_batches=2,
        enable_large_batch_splitting=True,
        max_execution_batch_size=3,
    )


def test_an_unforeseen_error_is_everybodys_and_the_thread_lives_on(model, scheduled):
    class Broken(Doubler):
        def run(self, inputs):
            raise MemoryError("all gone")

    async def test(scheduler, loop):
        broken = Broken()
        for request in [ask(scheduler, broken, 1), ask(scheduler, broken, 2)]:
            with pytest.raises(MemoryError, match="all gone"):
                await request
        assert await answer(ask(scheduler, model, 1)) == [2]

    scheduled(test)


def test_an_observer_is_told_of_each_batch(model, scheduled):
    records = []

    async def test(scheduler, loop):
        requests = [ask(scheduler, model, 1), ask(scheduler, model, 2, 3)]
        await loop.advance(0.5)
        await asyncio.gather(*requests)

    scheduled(
        test,
        records.append,
        batch_timeout_micros=500_000,
        allowed_batch_sizes=(4,),
    )
    (record,) = records
    assert (record.signature, record.requests, record.rows) == ("doubled", 2, 3)
    assert (record.padded_rows, record.waited_s) == (4, 0.5)


def test_only_requests_with_rows_are_taken(model, scheduled):
    async def test(scheduler, loop):
        assert scheduler.takes(model, {"x": np.zeros(2)})
        assert not scheduler.takes(model, {"x": np.zeros(0)})
        assert not scheduler.takes(model, {"x": np.zeros(2), "z": np.zeros(1)})

    scheduled(test)
