"""A batching predictor answers what one without batching answers."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.protocol.errors import DeadlineExceeded, InvalidArgument
from serving.server.models.model_config import one_model
from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.prediction.predictor import Predictor
from serving.server.settings.batching_config import BatchingParameters
from tests.helpers.toy_model import CANDIDATES, USER, as_tensor

PADDED = BatchingParameters(
    max_batch_size=6,
    num_batch_threads=1,
    max_enqueued_batches=100,
    allowed_batch_sizes=(2, 6),
    pad_variable_length_inputs=True,
)
SAME_SHAPES = BatchingParameters(
    max_batch_size=8, num_batch_threads=2, max_enqueued_batches=100
)
SPLIT = BatchingParameters(
    max_batch_size=6,
    num_batch_threads=1,
    max_enqueued_batches=100,
    pad_variable_length_inputs=True,
    enable_large_batch_splitting=True,
    max_execution_batch_size=2,
)
WORDS = st.text("abcé", min_size=1, max_size=3)


class Recorded:
    """A predictor and the batches that it ran."""

    def __init__(self, store, parameters):
        self.batches = []
        self.predictor = Predictor(store, 1, parameters, self.batches.append)

    def answers(self, signature, requests, **options):
        """The outputs, or the error, of requests made at once."""
        lease = self.predictor.resolve(ModelSpec("ranker", signature=signature))

        async def run():
            return await asyncio.gather(
                *(self.predictor.predict(lease, one, **options) for one in requests),
                return_exceptions=True,
            )

        return asyncio.run(run())


@pytest.fixture(scope="module")
def recorded(model_dir):
    store = ModelStore([one_model(str(model_dir), "ranker")])
    made = []

    def make(parameters):
        made.append(Recorded(store, parameters))
        return made[-1]

    yield make
    for one in made:
        one.predictor.close()


@pytest.fixture(scope="module")
def batched(recorded):
    return [recorded(parameters) for parameters in (PADDED, SAME_SHAPES, SPLIT)]


@pytest.fixture(scope="module")
def alone(recorded):
    return recorded(None)


def arrays(values):
    return {name: np.asarray(as_tensor(value)) for name, value in values.items()}


@st.composite
def impressions(draw):
    """A `predict_raw` request of one to three rows, its lists as long as it likes."""
    rows = draw(st.integers(1, 3))
    length, tags = draw(st.integers(1, 4)), draw(st.integers(1, 3))

    def words(*shape):
        count = int(np.prod(shape))
        flat = draw(st.lists(WORDS, min_size=count, max_size=count))
        return np.array([word.encode() for word in flat], object).reshape(shape)

    def numbers(*shape):
        count = int(np.prod(shape))
        values = st.integers(0, 2000)
        flat = draw(st.lists(values, min_size=count, max_size=count))
        return np.array(flat, np.int64).reshape(shape)

    return {
        "user_id": words(rows),
        "avc": numbers(rows),
        "history_video_ids": words(rows, length),
        "history_gap_ms": numbers(rows, length),
        "video_id": words(rows),
        "video_tags": words(rows, tags),
        "video_age_hours": numbers(rows).astype(np.float32),
    }


@settings(deadline=None, max_examples=40)
@given(requests=st.lists(impressions(), min_size=1, max_size=8))
def test_answers_do_not_depend_on_who_shares_the_batch(batched, alone, requests):
    expected = alone.answers("predict_raw", requests)
    for one in batched:
        answers = one.answers("predict_raw", requests)
        for answer, outputs in zip(answers, expected, strict=True):
            assert answer.keys() == outputs.keys()
            for name in outputs:
                # Not bit by bit: a sigmoid of eight rows uses other instructions.
                np.testing.assert_allclose(answer[name], outputs[name], rtol=1e-6)


def test_requests_made_at_once_share_a_batch(recorded):
    one = recorded(PADDED)
    one.answers("doubled", [{"x": np.ones((1, 2), np.float32)}] * 3)
    assert [(b.requests, b.rows, b.padded_rows) for b in one.batches] == [(3, 3, 6)]


def test_rank_is_never_merged(recorded, alone):
    one = recorded(PADDED)
    requests = [arrays(USER | CANDIDATES)] * 3
    answers = one.answers("rank", requests)
    assert one.batches == []
    for answer, expected in zip(answers, alone.answers("rank", requests), strict=True):
        np.testing.assert_array_equal(answer["fused"], expected["fused"])


def test_inputs_of_unequal_rows_are_run_alone(recorded):
    one = recorded(PADDED)
    inputs = arrays({"text": ["a"], "number": [1.0, 2.0], "flag": [True]})
    inputs["count"] = np.array([1, 2, 3], np.int32)
    (answer,) = one.answers("echo", [inputs])
    assert answer["count_out"].tolist() == [1, 2, 3]
    assert one.batches == []


def test_a_bad_example_fails_alone(recorded, alone):
    from tests.helpers.toy_model import example

    one = recorded(PADDED)
    good = np.array([example("u", "v", 3)], object)
    bad = np.array([b"no example"], object)
    requests = [{"examples": good}, {"examples": bad}, {"examples": good}]
    answers = one.answers("serving_default", requests)
    assert one.batches[0].requests == 3
    assert isinstance(answers[1], InvalidArgument)
    assert "Could not parse example" in answers[1].message
    (expected,) = alone.answers("serving_default", requests[:1])
    for index in (0, 2):
        assert answers[index]["score"] == expected["score"]


@pytest.mark.parametrize("signature", ["doubled", "rank"])
def test_a_deadline_that_passed_is_answered_so(batched, alone, signature):
    inputs = {"x": np.ones((1, 2), np.float32)}
    if signature == "rank":
        inputs = arrays(USER | CANDIDATES)
    for one in (*batched, alone):
        (answer,) = one.answers(signature, [inputs], deadline=0.0)
        assert isinstance(answer, DeadlineExceeded)
