import asyncio

import numpy as np
import pytest

from serving.protocol.errors import InvalidArgument
from serving.server.models.model_config import one_model
from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.prediction.predictor import Predictor
from tests.helpers.toy_model import CANDIDATES, USER, as_tensor


@pytest.fixture(scope="module")
def predictor(model_dir):
    predictor = Predictor(ModelStore([one_model(model_dir, "ranker")]), workers=1)
    yield predictor
    predictor.close()


def test_outputs_and_their_filter(predictor, in_process):
    values = USER | CANDIDATES
    inputs = {name: np.asarray(as_tensor(value)) for name, value in values.items()}
    spec = ModelSpec("ranker", signature="rank")
    lease = predictor.resolve(spec)
    assert (lease.version.number, lease.signature.name) == (2, "rank")
    outputs = asyncio.run(predictor.predict(lease, inputs))
    for name, expected in in_process("rank", values).items():
        np.testing.assert_array_equal(outputs[name], expected)
    some = asyncio.run(predictor.predict(lease, inputs, ["fused", "tasks"]))
    assert list(some) == ["fused", "tasks"]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, r"Missing but required: \{x\}"),
        ({"x": [[1.0, 2.0]], "y": [1.0]}, r"Sent extra: \{y\}"),
        ({"x": [[1, 2]]}, r"'x': expected float32 \[\?, 2\], received int64 \[1, 2\]"),
        ({"x": 1.0}, r"'x': expected float32 \[\?, 2\], received float32 \[\]"),
        ({"x": [[1j, 2j]]}, "received complex128"),
    ],
)
def test_inputs_that_do_not_fit(predictor, inputs, message):
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    for name, array in arrays.items():
        if array.dtype == float:
            arrays[name] = array.astype(np.float32)
    lease = predictor.resolve(ModelSpec("ranker", signature="doubled"))
    with pytest.raises(InvalidArgument, match=message):
        asyncio.run(predictor.predict(lease, arrays))
