"""The number of history entries that are the candidate's, against slow loops."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.model.history_matches import MatchCounter
from pipeline.model.ranking_model import RankingModel
from preprocessing.transform.input_specs import HISTORIES, InputSpec
from tests.helpers.random_model import (
    BATCH,
    ROWS,
    TASKS,
    check_shared_equals_tiled,
    embedding_rows,
    new_model,
    random_batch,
    shuffled_weights,
)

LENGTH = 5
TAGS = InputSpec("history_tags", "history", "user", "video_tags", LENGTH)
VIDEOS = InputSpec("history_video_ids", "history", "user", "video_id", LENGTH)
OF_TAGS = InputSpec("video_tags", "id_list", "video", "video_tags", 3)
OF_VIDEO = InputSpec("video_id", "id", "video", "video_id")


def slow_matches(histories, candidates, known):
    """ln(1 + n) and n / length of each row."""
    rows = []
    for history, ids in zip(histories, candidates, strict=True):
        first = np.atleast_1d(ids)[0]
        number = sum(entry == first and 1 <= first <= known for entry in history)
        length = sum(entry > 0 for entry in history)
        rows.append([math.log(1 + number), number / length if length else 0])
    return np.array(rows)


@pytest.mark.parametrize(
    ("history", "candidate"), [(TAGS, OF_TAGS), (VIDEOS, OF_VIDEO)]
)
@pytest.mark.parametrize("known", [4, 8])
def test_matches_are_those_of_a_loop_over_the_entries(history, candidate, known):
    rng = np.random.default_rng(5)
    histories = rng.integers(0, 9, [200, LENGTH])
    shape = [200, candidate.length] if candidate.length else [200]
    ids = rng.integers(0, 9, shape)
    found = MatchCounter(history, candidate, known)(
        {history.name: tf.constant(histories), candidate.name: tf.constant(ids)}
    )
    expected = slow_matches(histories, ids, known)
    assert len(np.unique(expected[:, 0])) > 2
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_matches_by_hand():
    """Of tags the first counts; padding and unknown ids never do."""
    histories = [[7, 3, 7, 0, 0], [3, 8, 8, 8, 0], [0] * LENGTH, [9, 9, 2, 9, 9]]
    tags = [[7, 7, 0], [8, 3, 0], [0, 0, 0], [9, 0, 0]]
    found = MatchCounter(TAGS, OF_TAGS, known=8)(
        {"history_tags": tf.constant(histories), "video_tags": tf.constant(tags)}
    )
    expected = [[math.log(3), 2 / 3], [math.log(4), 3 / 4], [0, 0], [0, 0]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_one_users_history_is_compared_with_every_candidate():
    layer = MatchCounter(VIDEOS, OF_VIDEO, known=8)
    candidates = tf.constant([1, 2, 3])
    history = tf.constant([[1, 3, 3, 0, 0]])
    of_one = layer({"history_video_ids": history, "video_id": candidates})
    tiled = tf.repeat(history, 3, axis=0)
    of_each = layer({"history_video_ids": tiled, "video_id": candidates})
    assert of_one.shape == (3, 2)
    np.testing.assert_array_equal(of_one, of_each)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_matches_of_long_histories_in_half_precision(policy):
    """Sums of ones in half precision end at 256 or at 2,048."""
    history = InputSpec("history_video_ids", "history", "user", "video_id", 4096)
    global_policy = tf_keras.mixed_precision.global_policy()
    tf_keras.mixed_precision.set_global_policy(policy)
    try:
        layer = MatchCounter(history, OF_VIDEO, known=8)
    finally:
        tf_keras.mixed_precision.set_global_policy(global_policy)
    same = tf.ones([1, 4096], tf.int64)
    found = layer({"history_video_ids": same, "video_id": tf.constant([1], tf.int64)})
    assert found.dtype == policy.removeprefix("mixed_")
    expected = [[math.log(4097), 1]]
    np.testing.assert_allclose(tf.cast(found, tf.float32), expected, rtol=5e-3)


@pytest.mark.parametrize(
    ("vocabulary", "known"),
    [({}, ROWS - 2), ({"oov_buckets": 3}, ROWS - 4), ({"hash_buckets": 8}, ROWS - 1)],
)
def test_ids_out_of_the_vocabulary_match_nothing(vocabulary, known):
    """Rows are padding, the vocabulary's, and those that unknown ids share."""
    from tests.helpers.small_transform import settings_with

    config = settings_with(transform={"vocabularies": {"video_id": vocabulary}})
    model = RankingModel(config, embedding_rows(config))
    batch = random_batch(config, rows=ROWS)
    ids = np.arange(ROWS)
    batch["video_id"] = tf.constant(ids)
    history = np.repeat(ids[:, None], config.features.history_length, axis=1)
    batch["history_video_ids"] = tf.constant(history)
    videos, _, _ = model.history_matches(batch)
    np.testing.assert_array_equal(videos[:, 1], (ids >= 1) & (ids <= known))


def test_a_model_and_its_plain_twin_read_them_or_neither_does():
    widths = {}
    for on in (False, True):
        model, config = new_model(history_matches=on)
        baseline = RankingModel(config.plain(), embedding_rows(config))
        for made in (model, baseline):
            made(random_batch(config))
            assert made.history_matches.weights == []
        widths[on] = [m.mmoe.task_kernel.shape[1] for m in (model, baseline)]
    assert [two - one for one, two in zip(*widths.values(), strict=True)] == [6, 6]


def entries_that_match(batch):
    """The histories' entries are all the candidate's, or none is."""
    full = np.ones(batch["history_tags"].shape, np.int64)
    return [
        batch
        | {
            **{h: tf.constant(entry * full) for h in HISTORIES},
            "video_id": tf.ones(BATCH, tf.int64),
            "author_id": tf.ones(BATCH, tf.int64),
            "video_tags": tf.ones_like(batch["video_tags"]),
        }
        for entry in (1, 2)
    ]


@pytest.mark.parametrize("on", [False, True])
def test_only_a_model_with_matches_sees_them_without_its_embeddings(on):
    model, config = new_model(history_matches=on)
    matching, other = entries_that_match(random_batch(config))
    model(matching)
    shuffled_weights(model)
    for name in ("video_id", "author_id", "video_tags"):
        table = model.embedding.tables[name].embeddings
        table.assign(tf.zeros_like(table))
    change = np.abs(model(matching)["like"] - model(other)["like"]).max()
    assert (change > 1e-3) == on


@pytest.mark.parametrize("code", ["avc", "all_features"])
def test_a_shared_user_gives_what_a_tiled_one_does(code):
    model, config = new_model(personalization_code=[code])
    model(random_batch(config))
    shuffled_weights(model)
    check_shared_equals_tiled(model, config)


def test_a_shared_users_matches_are_the_candidates(poso):
    model, config = poso
    batch = random_batch(config)
    one = {n: v[2:3] if n.startswith("history_") else v for n, v in batch.items()}
    tiled = {
        n: tf.repeat(v[2:3], BATCH, axis=0) if n.startswith("history_") else v
        for n, v in batch.items()
    }
    by_one, by_each = model.history_matches(one), model.history_matches(tiled)
    assert max(np.ptp(matches[:, 0]) for matches in by_each) > 0
    for ours, expected in zip(by_one, by_each, strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_a_model_of_all_features_and_matches_scores_alike_under_xla():
    model, config = new_model(personalization_code=["all_features"])
    batch = random_batch(config)
    model(batch)
    shuffled_weights(model)
    compiled = tf.function(lambda b: model(b), jit_compile=True)(batch)
    for task, logits in model(batch).items():
        np.testing.assert_allclose(compiled[task], logits, atol=1e-5)
    assert set(compiled) == set(TASKS)
