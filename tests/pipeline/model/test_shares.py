import numpy as np
import pytest
import tensorflow as tf

from pipeline.model.shares import share


@pytest.mark.parametrize(("size", "replicas"), [(8, 2), (7, 2), (7, 3), (1, 2), (2, 4)])
def test_the_shares_put_together_are_the_batch(size, replicas):
    rows = np.arange(size * 3).reshape(size, 3)
    batch = {"a": tf.constant(rows), "b": tf.range(size)}
    shares = [share(batch, replica, replicas) for replica in range(replicas)]
    for name, value in batch.items():
        together = np.concatenate([part[name] for part in shares])
        np.testing.assert_array_equal(together, value)
    sizes = [len(part["b"]) for part in shares]
    assert max(sizes) - min(sizes) <= 1
