import asyncio
import threading
from dataclasses import replace

import numpy as np
import pytest

from serving.protocol.errors import DeadlineExceeded, InvalidArgument
from serving.server.models.model_config import one_model
from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.models.saved_model import Signature
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


@pytest.fixture
def busy(model_dir):
    """A predictor of one thread, whose runs wait for `go_on` and are counted."""
    predictor = Predictor(ModelStore([one_model(model_dir, "ranker")]), workers=1)
    lease = predictor.resolve(ModelSpec("ranker", signature="doubled"))
    go_on, runs = threading.Event(), []

    class Waiting(Signature):
        def run(self, inputs):
            runs.append(inputs["x"].tolist())
            go_on.wait(timeout=20)
            return super().run(inputs)

    signature = lease.signature
    waiting = Waiting(signature.name, signature.spec, signature.function)
    yield predictor, replace(lease, signature=waiting), go_on, runs
    go_on.set()
    predictor.close()


def test_what_is_too_late_or_cancelled_while_it_waits_is_not_run(busy):
    predictor, lease, go_on, runs = busy

    async def ask():
        loop = asyncio.get_running_loop()

        def request(number, deadline=None):
            inputs = {"x": np.full((1, 2), number, np.float32)}
            return loop.create_task(predictor.predict(lease, inputs, (), deadline))

        first = request(1)
        while not runs:
            await asyncio.sleep(0.001)
        late = request(2, loop.time())
        cancelled, last = request(3), request(4, loop.time() + 60)
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0)
        go_on.set()
        return await asyncio.gather(
            first, late, cancelled, last, return_exceptions=True
        )

    first, late, cancelled, last = asyncio.run(ask())
    assert runs == [[[1, 1]], [[4, 4]]]
    assert isinstance(late, DeadlineExceeded)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert (first["y"].tolist(), last["y"].tolist()) == ([[3, 3]], [[9, 9]])
