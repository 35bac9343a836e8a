"""An exported model: the same raw impressions score the same by every signature."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import prediction_log_pb2

from pipeline.model.export import export_model, raw_columns
from pipeline.training.trainer import build_model
from serving.export.signatures import RankingModule, fused_scores
from serving.server.models.saved_model import load_version
from serving.server.models.warmup_replay import replay_warmup_requests
from tests.helpers.small_transform import HOUR_MS, feature_row

TASKS = ("long_view", "like")
FILLERS = {tf.string: "", tf.float32: float("nan"), tf.int64: -1}
TOLERANCE = {"atol": 1e-5, "rtol": 0}


def impressions():
    """Known and unknown ids, missing values, histories from none to too long."""

    def history(*videos):
        return {
            "history_video_ids": list(videos),
            "history_author_ids": ["a0"] * len(videos),
            "history_tags": ["t1"] * len(videos),
            "history_gap_ms": [5 * HOUR_MS * k for k in range(len(videos), 0, -1)],
        }

    known = {"author_id": "a1", "country": "CN", "loudness": 9.0, "battery": 3.0}
    ages = {"video_age_hours": 30.0, "hours_since_first_launch": 5.0}
    return [
        feature_row(**known, **ages, **history("v1", "v2"), avc=9, video_tags=["t2"]),
        feature_row(user_id="u2", video_id="v3", avc=700, is_new_video=1),
        feature_row(user_id="stranger", video_id="fresh", author_id="?", country="??"),
        feature_row(**history("v0", "v1", "v2", "v3", "v4"), topics=["x", "y", "x"]),
        feature_row(**history("v5"), video_tags=["t0", "?", "t1"], topics=["y"]),
        feature_row(**ages, **known, user_id="u3", is_new_user=1, user_group="new"),
    ]


@pytest.fixture(scope="module")
def version(exported_dir):
    return load_version(str(exported_dir), 7)


@pytest.fixture(scope="module")
def loaded(exported_dir):
    return tf.saved_model.load(str(exported_dir))


@pytest.fixture(scope="module")
def signatures(loaded):  # its functions refer to it weakly
    return loaded.signatures


@pytest.fixture(scope="module")
def columns(small_transform):
    return raw_columns(small_transform.config)


@pytest.fixture(scope="module")
def expected(small_model, small_transform):
    """Scores [rows, tasks] of `impressions` by the model that was exported."""
    scores = small_model.probabilities(small_transform.apply(*impressions()))
    stacked = np.stack([scores[task].numpy() for task in TASKS], axis=1)
    assert np.ptp(stacked, axis=0).min() > 0.01
    return stacked


def dense(columns, rows, extra_padding=0):
    """Rows as the named tensors of a request."""
    inputs = {}
    for column in columns:
        values = [row.get(column.name) for row in rows]
        filler = FILLERS[column.dtype]
        if column.kind == "list":
            values = [value or [] for value in values]
            width = max(map(len, values)) + extra_padding
            values = [v + [filler] * (width - len(v)) for v in values]
            tensor = tf.constant(values, column.dtype, shape=[len(rows), width])
        else:
            values = [filler if value is None else value for value in values]
            tensor = tf.constant(values, column.dtype)
        inputs[column.name] = tensor
    return inputs


def rank_inputs(columns, user, videos):
    of_user = [column for column in columns if not column.candidate]
    of_videos = [column for column in columns if column.candidate]
    return {**dense(of_user, [user]), **dense(of_videos, videos)}


def stacked(scores):
    return np.stack([scores[task].numpy() for task in TASKS], axis=1)


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
        with pytest.raises(tf.errors.InvalidArgumentError, match=name):
            signatures["serving_default"](
                examples=tf.constant([example.SerializeToString()])
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


@pytest.mark.parametrize("user_row", range(6))
def test_rank_scores_as_the_model_does_of_the_tiled_user(
    signatures, columns, small_model, small_transform, user_row
):
    rows = impressions()
    user = rows[user_row]
    of_video = [column.name for column in columns if column.candidate]
    assert {"video_id", "author_id", "loudness", "topics"} <= set(of_video)
    tiled = [{**user, **{n: video.get(n) for n in of_video}} for video in rows]
    by_model = stacked(small_model.probabilities(small_transform.apply(*tiled)))
    ranked = signatures["rank"](**rank_inputs(columns, user, rows))
    assert ranked["scores"].shape == (len(rows), len(TASKS))
    assert [task.decode() for task in ranked["tasks"].numpy()] == list(TASKS)
    np.testing.assert_allclose(ranked["scores"], by_model, **TOLERANCE)


def test_the_fused_score_is_the_weighted_product(signatures, columns, small_transform):
    weights = [t.fusion_weight for t in small_transform.config.tasks.values()]
    assert weights == [1.0, 0.3]
    rows = impressions()
    ranked = signatures["rank"](**rank_inputs(columns, rows[0], rows))
    expected = []
    for scores in ranked["scores"].numpy().astype(np.float64):
        product = 1.0
        for score, weight in zip(scores, weights, strict=True):
            product *= score**weight
        expected.append(product)
    np.testing.assert_allclose(ranked["fused"], expected, rtol=1e-5)


def test_the_fused_score_may_be_the_weighted_sum():
    scores = np.random.default_rng(4).random((5, 2))
    module = RankingModule(
        transform=dict,
        score=lambda inputs, shared_user: {},
        columns=(),
        fusion_weights={"long_view": 2.0, "like": 0.5},
        fusion="weighted_sum",
    )
    fused = fused_scores(tf.constant(scores, tf.float32), module)
    expected = [2 * watched + 0.5 * liked for watched, liked in scores]
    np.testing.assert_allclose(fused, expected, rtol=1e-6)


IDS = st.sampled_from(["", "v0", "v1", "v3", "a0", "t1", "stranger"])
HISTORIES = st.lists(st.tuples(IDS, IDS, IDS, st.integers(-1, 10**9)), max_size=6)


@st.composite
def users(draw):
    events = draw(HISTORIES)
    return feature_row(
        user_id=draw(st.sampled_from(["u0", "u1", "", "stranger"])),
        avc=draw(st.integers(0, 10**6)),
        is_new_user=draw(st.integers(0, 1)),
        country=draw(st.sampled_from([None, "CN", "??"])),
        battery=draw(st.one_of(st.none(), st.floats(-9, 9, width=32))),
        history_video_ids=[event[0] for event in events],
        history_author_ids=[event[1] for event in events][: draw(st.integers(0, 6))],
        history_tags=[event[2] for event in events],
        history_gap_ms=[event[3] for event in events],
    )


VIDEOS = st.builds(
    feature_row,
    video_id=IDS,
    author_id=st.one_of(st.none(), IDS),
    video_tags=st.lists(IDS, max_size=4),
    topics=st.lists(IDS, max_size=4),
    loudness=st.one_of(st.none(), st.floats(-99, 99, width=32)),
    video_impressions=st.integers(0, 10**6),
)


@settings(max_examples=60, deadline=None)
@given(user=users(), videos=st.lists(VIDEOS, min_size=1, max_size=5))
def test_rank_equals_the_tiled_user_whatever_is_missing(
    signatures, columns, user, videos
):
    of_video = {column.name for column in columns if column.candidate}
    tiled = [
        {**user, **{name: video.get(name) for name in of_video}} for video in videos
    ]
    by_row = stacked(signatures["predict_raw"](**dense(columns, tiled)))
    ranked = signatures["rank"](**rank_inputs(columns, user, videos))
    assert np.isfinite(by_row).all()
    np.testing.assert_allclose(ranked["scores"], by_row, **TOLERANCE)


def test_rank_looks_up_and_projects_what_is_the_users_once(
    small_model, small_transform, columns
):
    """Operations with a row a candidate are those that a candidate has part in."""
    rows = impressions()
    candidates = 50
    videos = {c.name for c in columns if c.candidate}
    inputs = small_transform.apply(*(rows[:1] * candidates))
    shared = {
        name: value if name in videos else value[:1] for name, value in inputs.items()
    }

    def traced(given, shared_user):
        function = tf.function(
            lambda: small_model.probabilities(given, shared_user=shared_user),
            autograph=False,
        )
        return function.get_concrete_function().graph.get_operations()

    def products(operations):
        """Multiply-adds of all matrix products, and rows of all table look-ups."""
        adds = looked_up = 0
        for operation in operations:
            out = operation.outputs[0].shape.as_list() if operation.outputs else []
            if operation.type in ("MatMul", "BatchMatMulV2"):
                adds += np.prod(out) * operation.inputs[0].shape[-1]
            elif operation.type == "ResourceGather":
                looked_up += np.prod(out[:-1])
        return adds, looked_up

    adds_tiled, looked_up_tiled = products(traced(inputs, False))
    adds, looked_up = products(traced(shared, True))
    single = [column for column in columns if column.kind != "list"]
    of_videos = sum(column.candidate for column in single if column.dtype != tf.float32)
    assert looked_up < looked_up_tiled / 2
    assert adds < adds_tiled / 1.5
    # Twice the candidates: what is the user's alone is not done twice.
    more = {n: tf.repeat(v, 2, axis=0) if n in videos else v for n, v in shared.items()}
    _, looked_up_more = products(traced(more, True))
    lists = 2 + 2  # max_tags and max_list
    numbers_are_buckets = 1  # video_age_hours
    assert looked_up_more - looked_up == candidates * (
        of_videos + numbers_are_buckets + lists
    )


def test_rank_takes_one_user_alone(signatures, columns):
    rows = impressions()
    inputs = dense(columns, rows)
    with pytest.raises((TypeError, tf.errors.InvalidArgumentError)):
        signatures["rank"](**inputs)


def test_rank_of_no_and_of_one_candidate(signatures, columns):
    rows = impressions()
    ranked = signatures["rank"](**rank_inputs(columns, rows[0], rows))
    one = signatures["rank"](**rank_inputs(columns, rows[0], rows[1:2]))
    np.testing.assert_allclose(one["scores"], ranked["scores"][1:2], **TOLERANCE)
    none = {
        column.name: value if not column.candidate else value[:0]
        for column in columns
        for value in [rank_inputs(columns, rows[0], rows)[column.name]]
    }
    empty = signatures["rank"](**none)
    assert empty["scores"].shape == (0, len(TASKS))
    assert empty["fused"].shape == (0,)


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
UNWANTED = ("Dropout", "Random", "Assert", "Print", "Summary", "Save", "Restore")


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
