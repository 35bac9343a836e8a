import numpy as np

from serving.protocol.errors import InvalidArgument
from serving.server.batching.run import run_batch
from serving.server.models.saved_model import Signature


def signature(function) -> Signature:
    class Fake(Signature):
        def run(self, inputs):
            return function(inputs["x"])

    return Fake("fake", None, None)


def of(*values):
    return {"x": np.array(values)}


def test_each_request_gets_its_own_rows():
    calls = []

    def doubled(x):
        calls.append(x.tolist())
        return {"y": 2 * x}

    answers = run_batch(signature(doubled), [of(1, 2), of(3)], [2, 1], 5)
    assert [answer["y"].tolist() for answer in answers] == [[2, 4], [6]]
    assert calls == [[1, 2, 3, 3, 3]]


def test_wrong_values_fail_their_own_request_alone():
    def positive(x):
        if (x < 0).any():
            raise InvalidArgument(f"{x.min()} is negative")
        return {"y": x}

    answers = run_batch(signature(positive), [of(1), of(-2), of(3)], [1, 1, 1], 3)
    assert answers[0]["y"].tolist() == [1]
    assert str(answers[1]) == "INVALID_ARGUMENT: -2 is negative"
    assert answers[2]["y"].tolist() == [3]


def test_a_failing_request_on_its_own_is_run_once():
    calls = []

    def fail(x):
        calls.append(x)
        raise InvalidArgument("no")

    (answer,) = run_batch(signature(fail), [of(1)], [1], 4)
    assert isinstance(answer, InvalidArgument)
    assert len(calls) == 1


def test_a_graph_that_does_not_answer_row_by_row_is_run_for_each_request():
    answers = run_batch(
        signature(lambda x: {"y": np.array([x.sum()])}), [of(1, 2), of(3)], [2, 1], 3
    )
    assert [answer["y"].tolist() for answer in answers] == [[3], [3]]
