import pytest
import tensorflow as tf

from pipeline.training.strategies.workers import (
    LostWorkerError,
    check_same,
    lost_workers_named,
    wait_for_all,
)

LOST = (
    "Graph execution error:\n\nDetected at node CollectiveReduceV2\n\n"
    "Collective ops is aborted by: Error reported from /job:worker/task:1: Task "
    "/job:worker/replica:0/task:1 heartbeat timeout."
)


@pytest.mark.parametrize("error", [tf.errors.UnavailableError, tf.errors.AbortedError])
def test_a_lost_worker_is_named_in_one_line(error):
    said = pytest.raises(LostWorkerError, match=r"^worker 1 is gone, .* checkpoint$")
    with said, lost_workers_named():
        raise error(None, None, LOST)


def test_other_errors_stay_as_they_are():
    said = pytest.raises(tf.errors.UnavailableError, match="the disk")
    with said, lost_workers_named():
        raise tf.errors.UnavailableError(None, None, "the disk")


def test_one_process_alone_waits_for_nobody():
    strategy = tf.distribute.get_strategy()
    check_same(strategy, "ab12")
    wait_for_all(strategy)
