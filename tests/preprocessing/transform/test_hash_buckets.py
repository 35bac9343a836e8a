"""Ids that are hashed: no vocabulary, rows 1 to `hash_buckets`, missing is 0."""

import numpy as np
import tensorflow as tf

from preprocessing.transform.graph import embedding_rows
from tests.helpers.small_transform import analyzed_rows, feature_row


def rows_of(small, column, values):
    rows = [feature_row(**{column: value}) for value in values]
    return small.apply(*rows)[column].numpy().tolist()


def test_any_id_has_a_row_seen_before_or_not(hashed_transform):
    tokens = [f"v{i}" for i in range(6)] + [f"never seen {i}" for i in range(60)]
    rows = rows_of(hashed_transform, "video_id", tokens)
    assert set(rows) == set(range(1, 8))
    users = rows_of(hashed_transform, "user_id", tokens)
    assert min(users) >= 1
    assert max(users) <= 50
    assert len(set(users)) > 25


def test_an_id_has_the_same_row_in_every_call_feature_and_history(hashed_transform):
    [row] = rows_of(hashed_transform, "video_id", ["v4"])
    out = hashed_transform.apply(
        feature_row(video_id="other", history_video_ids=["v4", "never seen"])
    )
    [unseen] = rows_of(hashed_transform, "video_id", ["never seen"])
    assert out["history_video_ids"].numpy().tolist() == [[row, unseen, 0]]


def test_a_missing_id_is_0(hashed_transform):
    assert rows_of(hashed_transform, "user_id", ["", "u1"])[0] == 0


def test_other_tables_keep_their_vocabularies(hashed_transform):
    folder = hashed_transform.folder / "graph" / "transform_fn" / "assets"
    kept = {path.name for path in folder.iterdir()}
    assert {"author_id", "video_tags", "country"} <= kept
    assert not {"user_id", "video_id"} & kept


def test_a_table_has_a_row_for_each_bucket_and_one_for_missing(hashed_transform):
    settings = hashed_transform.config.transform

    def no_vocabulary(table):
        raise AssertionError(f"{table} has no vocabulary")

    assert embedding_rows(no_vocabulary, "user_id", settings) == 51
    assert embedding_rows({"author_id": 3}.get, "author_id", settings) == 5


def test_the_saved_graph_does_what_beam_did(hashed_transform):
    files = tf.io.gfile.glob(hashed_transform.train_files)
    spec = hashed_transform.output.transformed_feature_spec()
    examples = tf.data.TFRecordDataset(files, "GZIP").batch(100)
    by_beam = tf.io.parse_example(next(iter(examples)), spec)
    by_graph = hashed_transform.apply(*analyzed_rows())
    for name in ("user_id", "video_id", "history_video_ids"):
        np.testing.assert_array_equal(by_beam[name], by_graph[name])
