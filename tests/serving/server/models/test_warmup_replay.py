"""Warm-up requests of every kind, run before a version is served."""

import shutil

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from serving.server.models.saved_model import ModelLoadError, Signature, load_version
from serving.server.models.warmup_replay import replay_warmup_requests
from tests.helpers import toy_model


@pytest.fixture(scope="module")
def version(model_dir):
    return load_version(str(model_dir / "1"), 1)


@pytest.fixture
def runs(monkeypatch):
    """Names of the signatures that were run, with their inputs."""
    seen, run = [], Signature.run

    def record(self, inputs):
        seen.append((self.name, inputs))
        return run(self, inputs)

    monkeypatch.setattr(Signature, "run", record)
    return seen


def example(avc):
    return tf.train.Example.FromString(toy_model.example("u", "v", avc))


def log(kind, signature=""):
    message = prediction_log_pb2.PredictionLog()
    request = getattr(message, kind).request
    if kind == "multi_inference_log":
        request.tasks.add().model_spec.signature_name = signature
        request.tasks.add().model_spec.signature_name = signature
    else:
        request.model_spec.signature_name = signature
    return message


def with_examples(message, *avcs):
    kind = message.WhichOneof("log_type")
    examples = getattr(message, kind).request.input.example_list.examples
    examples.extend(map(example, avcs))
    return message


def test_a_version_without_requests(tmp_path, version):
    assert replay_warmup_requests(str(tmp_path), version) == 0


@pytest.mark.parametrize(
    ("kind", "count"),
    [("classify_log", 1), ("regress_log", 1), ("multi_inference_log", 2)],
)
def test_examples_run_the_signature(tmp_path, version, runs, kind, count):
    message = with_examples(log(kind), 3, 14)
    toy_model.write_warmup(str(tmp_path), message)
    assert replay_warmup_requests(str(tmp_path), version) == 1
    assert [name for name, _ in runs] == ["serving_default"] * count
    parsed = tf.io.parse_example(
        list(runs[0][1]["examples"]), toy_model.EXAMPLE_FEATURES
    )
    assert parsed["avc"].numpy().tolist() == [3, 14]


def test_a_context_joins_each_example(tmp_path, version, runs):
    message = log("classify_log")
    both = message.classify_log.request.input.example_list_with_context
    both.context.CopyFrom(example(21))
    both.context.features.feature.pop("video_id")
    for video in ("a", "bcd"):
        features = both.examples.add().features.feature
        features["video_id"].bytes_list.value.append(video.encode())
    toy_model.write_warmup(str(tmp_path), message)
    replay_warmup_requests(str(tmp_path), version)
    parsed = tf.io.parse_example(
        list(runs[0][1]["examples"]), toy_model.EXAMPLE_FEATURES
    )
    assert parsed["avc"].numpy().tolist() == [21, 21]
    assert parsed["video_id"].numpy().tolist() == [b"a", b"bcd"]


def test_predict_requests_and_logs_of_no_kind(tmp_path, version, runs):
    predict = toy_model.warmup_log("doubled", {"x": [[1.0, 2.0]]})
    toy_model.write_warmup(
        str(tmp_path), predict, prediction_log_pb2.PredictionLog(), predict
    )
    assert replay_warmup_requests(str(tmp_path), version) == 3
    assert [name for name, _ in runs] == ["doubled", "doubled"]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (toy_model.warmup_log("doubled", {"x": [[1.0, 2.0, 3.0]]}), "'x'"),
        (toy_model.warmup_log("nope", {}), "nope"),
        (log("classify_log"), "Input is empty"),
        (with_examples(log("classify_log", "rank"), 1), "serialized examples alone"),
        (log("session_run_log"), "Unsupported log_type for warmup: session_run_log"),
    ],
)
def test_a_request_that_fails_is_named(tmp_path, version, message, words):
    toy_model.write_warmup(str(tmp_path), message)
    with pytest.raises(ModelLoadError, match=rf"assets\.extra.*{words}"):
        replay_warmup_requests(str(tmp_path), version)


def test_a_thousand_requests_at_most(tmp_path, version):
    nothing = prediction_log_pb2.PredictionLog()
    toy_model.write_warmup(str(tmp_path), *[nothing] * 1000)
    assert replay_warmup_requests(str(tmp_path), version) == 1000
    toy_model.write_warmup(str(tmp_path), *[nothing] * 1001)
    with pytest.raises(ModelLoadError, match="warmup records exceeds the maximum"):
        replay_warmup_requests(str(tmp_path), version)


def test_a_damaged_file(model_dir, tmp_path, version):
    shutil.copytree(model_dir / "2" / "assets.extra", tmp_path / "assets.extra")
    file = tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(ModelLoadError, match=r"warm-up requests of .*assets\.extra"):
        replay_warmup_requests(str(tmp_path), version)
