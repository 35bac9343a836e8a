"""A model with hashed ids is built, exported and served without their vocabularies."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_serving.apis import prediction_log_pb2

from pipeline.model.build import build_model
from pipeline.model.export import export_model
from serving.export.warmup import WARMUP_FILE
from tests.helpers.exported_requests import TASKS, impressions, stacked
from tests.helpers.random_model import shuffled_weights
from tests.helpers.small_transform import feature_row

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def model(hashed_transform):
    tf_keras.utils.set_random_seed(5)
    model = build_model(hashed_transform.config, hashed_transform.output)
    model(hashed_transform.apply(feature_row()))
    shuffled_weights(model)
    return model


@pytest.fixture(scope="module")
def exported(model, hashed_transform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hashed") / "1"
    export_model(model, hashed_transform.output, hashed_transform.config, str(folder))
    return folder


def test_tables_are_as_large_as_their_buckets(model):
    tables = model.embedding.tables
    assert tables["user_id"].embeddings.shape[0] == 51
    assert tables["video_id"].embeddings.shape[0] == 8


def test_unseen_ids_score_as_the_model_scores_them(model, exported, hashed_transform):
    users = [feature_row(user_id=f"unseen {i}", video_id="v0") for i in range(9)]
    rows = [*impressions(), *users]
    scores = model.probabilities(hashed_transform.apply(*rows))
    loaded = tf.saved_model.load(str(exported))
    served = loaded.signatures["serving_default"](
        examples=tf.constant(hashed_transform.examples(rows))
    )
    expected = np.stack([scores[task].numpy() for task in TASKS], axis=1)
    np.testing.assert_allclose(stacked(served), expected, atol=1e-5)
    # Of 9 unseen users more than one has a score of its own.
    assert len(set(np.round(expected[-9:, 0], 5))) > 3


def test_warm_up_requests_have_ids_to_look_up(exported):
    records = tf.data.TFRecordDataset(str(exported / WARMUP_FILE))
    first = prediction_log_pb2.PredictionLog.FromString(next(iter(records)).numpy())
    inputs = first.predict_log.request.inputs
    for column in ("user_id", "video_id", "history_video_ids"):
        ids = tf.make_ndarray(inputs[column]).ravel()
        assert all(ids), column
    assert len(set(tf.make_ndarray(inputs["video_id"]))) > 3
