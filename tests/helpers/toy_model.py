"""A small SavedModel with the ranking model's signatures and one of every type."""

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

TASKS = ["long_view", "like"]
EXAMPLE_FEATURES = {
    "user_id": tf.io.FixedLenFeature([], tf.string),
    "video_id": tf.io.FixedLenFeature([], tf.string),
    "avc": tf.io.FixedLenFeature([], tf.int64),
}


def scores(user_id, avc, history, gaps, video_id, tags, age) -> tf.Tensor:
    """Task scores [batch, 2]; the user's tensors may have batch 1."""
    user = tf.cast(tf.strings.to_hash_bucket_fast(user_id, 97), tf.float32)
    video = tf.cast(tf.strings.to_hash_bucket_fast(video_id, 89), tf.float32)
    seen = tf.reduce_sum(tf.cast(tf.not_equal(history, ""), tf.float32), axis=1)
    known_and_recent = tf.logical_and(gaps >= 0, gaps < 1000)
    recent = tf.reduce_sum(tf.cast(known_and_recent, tf.float32), axis=1)
    tagged = tf.reduce_sum(tf.cast(tf.not_equal(tags, ""), tf.float32), axis=1)
    affinity = tf.sin(user * video) + 0.1 * (seen + recent) + 0.05 * tagged
    freshness = affinity - 0.01 * age + 0.001 * tf.cast(avc, tf.float32)
    return tf.sigmoid(tf.stack([affinity, freshness], axis=1))


def spec(shape, dtype, name):
    return tf.TensorSpec(shape, dtype, name=name)


def features(user_batch):
    return {
        "user_id": spec([user_batch], tf.string, "user_id"),
        "avc": spec([user_batch], tf.int64, "avc"),
        "history_video_ids": spec([user_batch, None], tf.string, "history_video_ids"),
        "history_gap_ms": spec([user_batch, None], tf.int64, "history_gap_ms"),
        "video_id": spec([None], tf.string, "video_id"),
        "video_tags": spec([None, None], tf.string, "video_tags"),
        "video_age_hours": spec([None], tf.float32, "video_age_hours"),
    }


class ToyRanker(tf.Module):
    def __init__(self, offset: float):
        super().__init__()
        self.offset = tf.Variable(offset)

    def _scores(self, inputs):
        return scores(
            inputs["user_id"],
            inputs["avc"],
            inputs["history_video_ids"],
            inputs["history_gap_ms"],
            inputs["video_id"],
            inputs["video_tags"],
            inputs["video_age_hours"],
        )

    @tf.function
    def rank(self, **inputs):
        by_task = self._scores(inputs)
        return {
            "scores": by_task,
            "fused": tf.reduce_prod(by_task, axis=1) + self.offset,
            "tasks": tf.constant(TASKS),
        }

    @tf.function
    def predict_raw(self, **inputs):
        return dict(zip(TASKS, tf.unstack(self._scores(inputs), axis=1), strict=True))

    @tf.function(input_signature=[spec([None], tf.string, "examples")])
    def serve_examples(self, examples):
        parsed = tf.io.parse_example(examples, EXAMPLE_FEATURES)
        length = tf.strings.length(parsed["video_id"])
        return {
            "score": tf.cast(parsed["avc"], tf.float32) / 7 + tf.cast(length, "float")
        }

    @tf.function(input_signature=[spec([None], tf.string, "inputs")])
    def regress(self, inputs):
        parsed = tf.io.parse_example(inputs, EXAMPLE_FEATURES)
        return {"outputs": tf.cast(parsed["avc"], tf.float32) + self.offset}

    @tf.function(input_signature=[spec([None], tf.string, "inputs")])
    def classify(self, inputs):
        parsed = tf.io.parse_example(inputs, EXAMPLE_FEATURES)
        scores = tf.cast(parsed["avc"], tf.float32)[:, None]
        return {"classes": parsed["video_id"][:, None], "scores": scores}

    @tf.function
    def echo(self, **inputs):
        return {f"{name}_out": value for name, value in inputs.items()} | {
            "text_bytes": inputs["text"]
        }

    @tf.function(input_signature=[spec([None, 2], tf.float32, "x")])
    def doubled(self, x):
        return {"y": 2 * x + self.offset}


def save(folder: str, offset: float = 0.0) -> None:
    model = ToyRanker(offset)
    echo = {
        "text": spec([None], tf.string, "text"),
        "number": spec([None], tf.float32, "number"),
        "count": spec([None], tf.int32, "count"),
        "flag": spec([None], tf.bool, "flag"),
    }
    tf.saved_model.save(
        model,
        folder,
        signatures={
            "serving_default": model.serve_examples,
            "rank": model.rank.get_concrete_function(**features(1)),
            "predict_raw": model.predict_raw.get_concrete_function(**features(None)),
            "echo": model.echo.get_concrete_function(**echo),
            "doubled": model.doubled,
            "classify": model.classify,
            "regress": model.regress,
        },
    )


def warmup_log(signature: str, inputs: dict) -> prediction_log_pb2.PredictionLog:
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(as_tensor(value)))
    return prediction_log_pb2.PredictionLog(
        predict_log=prediction_log_pb2.PredictLog(request=request)
    )


def write_warmup(folder: str, *logs: prediction_log_pb2.PredictionLog) -> None:
    path = f"{folder}/assets.extra/tf_serving_warmup_requests"
    tf.io.gfile.makedirs(f"{folder}/assets.extra")
    with tf.io.TFRecordWriter(path) as writer:
        for log in logs:
            writer.write(log.SerializeToString())


def example(user_id: str, video_id: str, avc: int) -> bytes:
    message = tf.train.Example()
    feature = message.features.feature
    feature["user_id"].bytes_list.value.append(user_id.encode())
    feature["video_id"].bytes_list.value.append(video_id.encode())
    feature["avc"].int64_list.value.append(avc)
    return message.SerializeToString()


def as_tensor(value) -> tf.Tensor:
    """A tensor in the ranking model's types: int64 and float32."""
    array = np.asarray(value)
    if array.dtype.kind in "SUO":  # numpy's own strings lose trailing zero bytes
        return tf.constant(value, tf.string)
    return tf.constant(array.astype(np.float32) if array.dtype == float else array)


USER = {
    "user_id": ["u1"],
    "avc": [12],
    "history_video_ids": [["v7", "v2", "v9"]],
    "history_gap_ms": [[86_400_000, 3_600_000, 900]],
}
CANDIDATES = {
    "video_id": ["v1", "v2", "vidéo"],
    "video_tags": [["music", "live"], ["news", ""], ["", ""]],
    "video_age_hours": [1.5, 30.0, 200.25],
}
