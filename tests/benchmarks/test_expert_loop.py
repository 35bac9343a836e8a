import numpy as np
import pytest

import poso_keras
from benchmarks.contestant import check_equal
from benchmarks.expert_loop import ExpertLoop


@pytest.mark.parametrize("kind", ["MMoE", "POSOMMoE"])
def test_equals_the_stacked_experts(kind):
    rng = np.random.default_rng(0)
    inputs, code = (rng.normal(size=(5, n)).astype("float32") for n in (6, 3))
    stacked = getattr(poso_keras, kind)(4, (8, 5), 2)
    stacked(inputs, code)
    stacked.set_weights([rng.normal(size=w.shape) for w in stacked.get_weights()])
    loop = ExpertLoop(stacked)
    loop(inputs, code)
    loop.copy_weights(stacked)
    assert check_equal(stacked(inputs, code), loop(inputs, code)) < 1e-5
