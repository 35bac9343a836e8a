"""An exported model: the same raw impressions score the same by every signature."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_serving.apis import prediction_log_pb2

from pipeline.model.build import build_model
from pipeline.model.export import export_model
from serving.server.models.warmup_replay import replay_warmup_requests
from tests.helpers.exported_requests import (
    TASKS,
    TOLERANCE,
    dense,
    impressions,
    stacked,
)
from tests.helpers.small_transform import HOUR_MS, feature_row


def test_serialized_examples_score_as_the_model_does(
    signatures, small_transform, expected
):
    examples = tf.constant(small_transform.examples(impressions()))
    scores = signatures["serving_default"](examples=examples)
    assert set(scores) == set(TASKS)
    np.testing.assert_allclose(stacked(scores), expected, **TOLERANCE)


def test_examples_need_no_more_than_the_models_columns(
    signatures, small_transform, columns, expected
):
    served = {column.name for column in columns}
    examples = []
    for serialized in small_transform.examples(impressions()):
        example = tf.train.Example.FromString(serialized)
        for name in list(example.features.feature):
            feature = example.features.feature[name]
            if name not in served or not feature.WhichOneof("kind"):
                del example.features.feature[name]
        examples.append(example.SerializeToString())
    assert not served & {"event_time_ms", "like", "is_like", "user_group"}
    scores = signatures["serving_default"](examples=tf.constant(examples))
    np.testing.assert_allclose(stacked(scores), expected, **TOLERANCE)


def test_a_missing_required_feature_is_an_error_that_names_it(
    signatures, small_transform, columns
):
    required = [column.name for column in columns if column.kind == "required"]
    assert {"user_id", "video_id", "avc"} <= set(required)
    for name in required:
        [serialized] = small_transform.examples([feature_row()])
        example = tf.train.Example.FromString(serialized)
        del example.features.feature[name]
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=f"Name: example 1, .*{name}"
        ):
            signatures["serving_default"](
                examples=tf.constant([serialized, example.SerializeToString()])
            )


@pytest.mark.parametrize("extra_padding", [0, 4])
def test_dense_requests_score_as_the_model_does(
    signatures, columns, expected, extra_padding
):
    """Padding beyond the longest list of a request changes nothing."""
    inputs = dense(columns, impressions(), extra_padding)
    scores = signatures["predict_raw"](**inputs)
    np.testing.assert_allclose(stacked(scores), expected, **TOLERANCE)


def test_rows_of_dense_requests_score_one_by_one(signatures, columns, expected):
    for row, scores_of_row in zip(impressions(), expected, strict=True):
        scores = signatures["predict_raw"](**dense(columns, [row]))
        np.testing.assert_allclose(stacked(scores)[0], scores_of_row, **TOLERANCE)


def test_an_unknown_entry_inside_a_list_keeps_its_place(
    signatures, small_transform, columns, small_model
):
    """An event without author or tag, in a history that is longer than L."""
    row = feature_row(
        history_video_ids=["v0", "v1", "v2", "v3", "v4"],
        history_author_ids=["a0", "", "a1", "", ""],
        history_tags=["t0", "t1", "", "new", ""],
        history_gap_ms=[9 * HOUR_MS, 7 * HOUR_MS, 5 * HOUR_MS, HOUR_MS, 0],
    )
    for rows in ([row], [row, *impressions()]):
        scores = signatures["predict_raw"](**dense(columns, rows, extra_padding=2))
        transformed = small_transform.apply(row)
        assert transformed["history_tags"].numpy().tolist() == [[0, 4, 0]]
        by_model = stacked(small_model.probabilities(transformed))
        np.testing.assert_allclose(stacked(scores)[:1], by_model, **TOLERANCE)
    one_place_off = {**row, "history_tags": ["t0", "t1", "new", "", ""]}
    moved = stacked(small_model.probabilities(small_transform.apply(one_place_off)))
    assert np.abs(moved - by_model).max() > 1e-4


def warm_up_requests(exported_dir):
    path = exported_dir / "assets.extra" / "tf_serving_warmup_requests"
    records = [r.numpy() for r in tf.data.TFRecordDataset(str(path))]
    logs = [prediction_log_pb2.PredictionLog.FromString(r) for r in records]
    return [log.predict_log.request for log in logs]


def test_warm_up_requests_lie_where_tensorflow_serving_reads_them(exported_dir):
    requests = warm_up_requests(exported_dir)
    names = [request.model_spec.signature_name for request in requests]
    assert {names.count(name) for name in set(names)} == {9}
    assert set(names) == {"serving_default", "predict_raw", "rank"}
    assert {request.model_spec.name for request in requests} == {"ranker"}


def test_warm_up_requests_are_of_many_shapes_and_of_known_ids(
    exported_dir, small_transform
):
    ranked = [
        {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        for request in warm_up_requests(exported_dir)
        if request.model_spec.signature_name == "rank"
    ]
    assert {r["user_id"].shape for r in ranked} == {(1,)}
    shapes = {(*r["video_id"].shape, r["history_video_ids"].shape[1]) for r in ranked}
    assert shapes == {(m, length) for m in (8, 2, 1) for length in (3, 2, 0)}
    known = {token.encode() for token in small_transform.ids("video_id")}
    used = {video for r in ranked for video in r["video_id"]}
    assert used <= known
    assert len(used) > 2


def test_every_warm_up_request_runs(exported_dir, version):
    assert replay_warmup_requests(str(exported_dir), version) == 27


def test_columns_say_what_a_client_must_send(columns):
    by_name = {column.name: column for column in columns}
    assert len(by_name) == len(columns)
    kinds = {name: column.kind for name, column in by_name.items()}
    assert kinds["user_id"] == kinds["avc"] == kinds["is_new_video"] == "required"
    for name in ("author_id", "video_age_hours", "country", "loudness", "battery"):
        assert kinds[name] == "optional"
    lists = {name for name, kind in kinds.items() if kind == "list"}
    histories = {name for name in lists if name.startswith("history_")}
    assert lists - histories == {"video_tags", "topics"}
    assert {by_name[name].sequence for name in histories} == {"history"}
    assert {by_name[name].sequence for name in lists - histories} == {""}
    assert by_name["history_gap_ms"].dtype == tf.int64
    assert by_name["loudness"].dtype == tf.float32
    sides = {name: column.candidate for name, column in by_name.items()}
    assert sides["topics"]
    assert sides["video_impressions"]
    assert not sides["battery"]
    assert not any(sides[name] for name in histories)


def test_classify_and_regress_are_as_tensorflow_serving_asks(
    version, signatures, small_transform, expected
):
    """One input `inputs`; `classes` and `scores` [B, T], or `outputs` [B]."""
    method = "tensorflow/serving/"
    definitions = version.definitions
    assert definitions["classify"].method_name == f"{method}classify"
    assert definitions["regress"].method_name == f"{method}regress"
    examples = tf.constant(small_transform.examples(impressions()))
    classified = signatures["classify"](inputs=examples)
    assert set(classified) == {"classes", "scores"}
    np.testing.assert_allclose(classified["scores"], expected, **TOLERANCE)
    for row in classified["classes"].numpy():
        assert [name.decode() for name in row] == list(TASKS)
    regressed = signatures["regress"](inputs=examples)
    assert set(regressed) == {"outputs"}
    np.testing.assert_allclose(
        regressed["outputs"], expected[:, 0] * expected[:, 1] ** 0.3, rtol=1e-4
    )


# What only training, debugging or file formats need, and what draws random numbers.
UNWANTED = ("Dropout", "Random", "Print", "Summary", "Save", "Restore")


def operations_of(function):
    """Types of all operations that a call can reach, nested functions included."""
    graph_def = function.graph.as_graph_def()
    library = {f.signature.name: f for f in graph_def.library.function}
    found, waiting = [], [graph_def.node]
    while waiting:
        for node in waiting.pop():
            found.append(node.op)
            for value in node.attr.values():
                if value.WhichOneof("value") == "func" and value.func.name in library:
                    waiting.append(library[value.func.name].node_def)
    return found


@pytest.mark.parametrize("name", ["serving_default", "predict_raw", "rank"])
def test_graphs_hold_nothing_that_serving_has_no_use_for(signatures, name):
    operations = operations_of(signatures[name])
    assert not [op for op in operations for word in UNWANTED if word in op]
    histories = 3  # whose masks are checked where their batch is not known
    checks = {"rank": 2, "predict_raw": 2 + histories, "serving_default": 1 + histories}
    assert operations.count("Assert") == checks[name], "of inputs and masks alone"
    assert "ReadVariableOp" not in operations, "dense weights are constants"
    assert "ResourceGather" in operations, "tables are not"
    assert not {"While", "StatelessWhile", "PyFunc", "EagerPyFunc"} & set(operations)


def test_all_scores_are_float32(signatures):
    for function in signatures.values():
        kinds = {output.dtype for output in function.structured_outputs.values()}
        assert kinds <= {tf.float32, tf.string}


@pytest.fixture
def half_precision():
    tf_keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield
    tf_keras.mixed_precision.set_global_policy("float32")


@pytest.mark.usefixtures("half_precision")
def test_scores_of_a_half_precision_model_are_float32(
    small_transform, columns, tmp_path
):
    model = build_model(small_transform.config, small_transform.output)
    rows = impressions()[:1]
    expected = stacked(model.probabilities(small_transform.apply(*rows)))
    export_model(
        model, small_transform.output, small_transform.config, str(tmp_path / "1")
    )
    loaded = tf.saved_model.load(str(tmp_path / "1"))
    scores = loaded.signatures["predict_raw"](**dense(columns, rows))
    assert {value.dtype for value in scores.values()} == {tf.float32}
    np.testing.assert_allclose(stacked(scores), expected, atol=0.01)
    ranked = loaded.signatures["rank"](**dense(columns, rows))
    assert ranked["scores"].dtype == ranked["fused"].dtype == tf.float32
    np.testing.assert_allclose(ranked["scores"], expected, atol=0.01)
