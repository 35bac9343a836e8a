import math

import pytest

from serving.protocol.errors import Unavailable
from serving.server.batching.queue import BatchedRequest, BatchQueue
from serving.server.settings.batching_config import BatchingParameters

SHORT, LONG = ((1,),), ((2,),)


def request(rows=1, shapes=SHORT):
    return BatchedRequest({}, rows, shapes, None, None)


def queue(max_batch_size=4, timeout_s=0.0, max_enqueued_batches=10, **more):
    parameters = BatchingParameters(
        max_batch_size, round(timeout_s * 1e6), max_enqueued_batches, **more
    )
    return BatchQueue(None, parameters)


def filled(*requests, now=0.0, **parameters):
    made = queue(**parameters)
    for one in requests:
        made.add(one, now)
    return made


def test_requests_share_a_batch_in_their_order():
    requests = [request(1), request(2), request(1)]
    batches = filled(*requests)
    assert len(batches) == 3
    batch = batches.take(0.0)
    assert batch.requests == requests
    assert batch.rows == 4
    assert batches.take(math.inf) is None
    assert len(batches) == 0


def test_what_does_not_fit_opens_the_next_batch_and_closes_the_first():
    first, second, third = request(3), request(2), request(1)
    batches = filled(first, second, third, timeout_s=1)
    assert batches.take(0.0).requests == [first]  # though a row was left
    assert batches.take(0.0) is None  # open, and young
    assert batches.take(1.0).requests == [second, third]


def test_a_full_batch_does_not_wait():
    full = request(4)
    batches = filled(full, timeout_s=1)
    assert batches.next_due() == 0.0
    assert batches.take(0.0).requests == [full]


def test_an_open_batch_is_due_after_the_timeout_of_its_first_request():
    batches = filled(request(), now=5.0, timeout_s=2.0)
    batches.add(request(), 6.5)
    assert batches.next_due() == 7.0
    assert batches.take(6.9) is None
    assert batches.take(7.0).opened_at == 5.0
    assert batches.next_due() == math.inf


def test_requests_of_other_shapes_have_batches_of_their_own():
    one, other, third = request(), request(shapes=LONG), request()
    batches = filled(one, other, third)
    assert batches.take(0.0).requests == [one, third]
    assert batches.take(0.0).requests == [other]


def test_a_batch_too_many_is_refused():
    batches = filled(request(4), request(3), max_enqueued_batches=2)
    with pytest.raises(Unavailable, match=r"queue .* is full: 2 batches wait"):
        batches.add(request(2), 0.0)
    batches.add(request(1), 0.0)  # fits into the open one
    with pytest.raises(Unavailable):
        batches.add(request(shapes=LONG), 0.0)
    batches.take(0.0)
    batches.add(request(shapes=LONG), 0.0)
    assert len(batches) == 3


def test_what_is_removed_makes_room():
    first, second = request(3), request(1)
    batches = filled(first, request(1, LONG), max_enqueued_batches=2)
    assert batches.remove(first)
    assert not batches.remove(first)
    batches.add(second, 0.0)
    batches.add(request(3), 0.0)
    assert batches.take(0.0).shapes == LONG
    assert batches.take(0.0).rows == 4
    assert not batches.remove(second)  # it is being run


def test_batches_are_no_larger_than_what_is_executed_at_once():
    limits = {"enable_large_batch_splitting": True, "max_execution_batch_size": 2}
    batches = filled(request(2), request(1), **limits)
    assert [batches.take(0.0).rows for _ in range(2)] == [2, 1]
