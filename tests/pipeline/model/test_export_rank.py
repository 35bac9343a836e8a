"""The signature `rank`: one user and its candidates score as the tiled user does."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.export.signatures import RankingModule, fused_scores
from serving.protocol.errors import InvalidArgument
from tests.helpers.exported_requests import (
    TASKS,
    TOLERANCE,
    dense,
    impressions,
    rank_inputs,
    stacked,
)
from tests.helpers.small_transform import feature_row


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
    authors_known = draw(st.booleans())
    return feature_row(
        user_id=draw(st.sampled_from(["u0", "u1", "", "stranger"])),
        avc=draw(st.integers(0, 10**6)),
        is_new_user=draw(st.integers(0, 1)),
        country=draw(st.sampled_from([None, "CN", "??"])),
        battery=draw(st.one_of(st.none(), st.floats(-9, 9, width=32))),
        history_video_ids=[event[0] for event in events],
        history_author_ids=[event[1] for event in events if authors_known],
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
    """Operations with a row per candidate are those that read the candidates."""
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


def refused(version, signature, inputs):
    """What a client is told by a server that runs the graph."""
    arrays = {name: value.numpy() for name, value in inputs.items()}
    with pytest.raises(InvalidArgument) as caught:
        version.signature(signature).run(arrays)
    return caught.value.message


def test_candidates_inputs_of_different_lengths_are_named(version, columns):
    rows = impressions()[:2]
    for column in columns:
        if column.candidate:
            inputs = rank_inputs(columns, rows[0], rows)
            inputs[column.name] = inputs[column.name][:1]
            message = refused(version, "rank", inputs)
            shape = " ".join(map(str, inputs[column.name].shape))
            assert f"[{column.name}] [{shape}]" in message
            assert "[author_id] [2]" in message or column.name == "author_id"
            assert "node" not in message


def test_inputs_of_rows_of_different_lengths_are_named(version, columns):
    inputs = dense(columns, impressions())
    inputs["avc"] = inputs["avc"][:1]
    message = refused(version, "predict_raw", inputs)
    assert "[avc] [1] [active_days_7] [6]" in message


def test_an_input_of_another_shape_is_named_by_the_graph(version, columns):
    """Where no server compares shapes first, as TensorFlow Serving does not."""
    rows = impressions()[:2]
    of_users = [column.name for column in columns if not column.candidate]
    for signature, right in (
        ("rank", rank_inputs(columns, rows[0], rows)),
        ("predict_raw", dense(columns, rows)),
    ):
        for name, value in right.items():
            deeper = refused(version, signature, right | {name: value[:, None]})
            shape = " ".join(map(str, value[:, None].shape))
            assert f"[{name}] [{shape}]" in deeper
            flat = refused(version, signature, right | {name: value[0]})
            assert f"[{name}] [" in flat
    for name in of_users:
        right = rank_inputs(columns, rows[0], rows)
        for users in (0, 2):
            several = tf.repeat(right[name], users, axis=0)
            message = refused(version, "rank", right | {name: several})
            assert f"[{name}] [{users}" in message


def test_no_candidates_as_json_says_them(version, columns):
    """`[]`, of which a server that compares no shapes makes a vector."""
    rows = impressions()[:2]
    inputs = rank_inputs(columns, rows[0], rows)
    for column in columns:
        if column.candidate:
            inputs[column.name] = tf.constant([], column.dtype)
    arrays = {name: value.numpy() for name, value in inputs.items()}
    answer = version.signature("rank").run(arrays)
    assert answer["scores"].shape == (0, len(TASKS))
    assert answer["fused"].shape == (0,)


@pytest.mark.parametrize("signature", ["rank", "predict_raw", "serving_default"])
def test_a_history_with_columns_of_different_lengths_is_refused(
    version, columns, small_transform, signature
):
    """Nobody can tell which of its events has no author."""
    row = feature_row(
        history_video_ids=["v0", "v1", "v2"],
        history_author_ids=["a0", "a1"],
        history_tags=["t0", "", "t1"],
        history_gap_ms=[9, 7, 5],
    )
    inputs = dense(columns, [row])
    if signature == "serving_default":
        inputs = {"examples": tf.constant(small_transform.examples([row]))}
    message = refused(version, signature, inputs)
    assert "[history_video_ids] [3] [history_author_ids] [2]" in message
