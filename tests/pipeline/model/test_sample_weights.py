import numpy as np
import pytest
import tensorflow as tf

from pipeline.config import SampleWeightsConfig
from pipeline.model.sample_weights import impression_weights, task_weights
from preprocessing.contract.column_names import USER_GROUPS

GROUPS = np.array([2, 0, 1, 4, 1, 3], np.int64)
COLUMN = np.array([1, 2, 0.5, 0, 3, 1], np.float32)


def weights(**settings):
    inputs = {
        "user_group": tf.constant(GROUPS),
        "sample_weight": tf.constant(COLUMN),
    }
    return impression_weights(inputs, SampleWeightsConfig(**settings))


def of_groups(**named):
    names = ["none of them", *USER_GROUPS]
    return np.array([named.get(names[index], 1.0) for index in GROUPS])


def test_all_impressions_count_alike_by_default():
    assert weights() is None


def test_a_group_has_its_weight_and_others_have_1():
    expected = of_groups(new=10, regular=0.25)
    assert expected.tolist() == [1, 1, 10, 0.25, 10, 1]
    result = weights(by_group={"new": 10, "regular": 0.25})
    np.testing.assert_allclose(result, expected)


def test_a_column_is_taken_as_it_is_and_times_the_groups():
    np.testing.assert_allclose(weights(column="watch"), COLUMN)
    both = weights(column="watch", by_group={"new": 10})
    np.testing.assert_allclose(both, COLUMN * of_groups(new=10))


def test_a_negative_weight_is_refused_by_the_columns_name():
    with pytest.raises(tf.errors.InvalidArgumentError, match="'watch' must be 0 or"):
        impression_weights(
            {"sample_weight": tf.constant([1.0, -1.0])},
            SampleWeightsConfig(column="watch"),
        )


def test_the_factors_of_a_tasks_weights_multiply():
    labels = tf.constant([1.0, 0.0, 1.0])
    known, rows = tf.constant([1.0, 1.0, 0.0]), tf.constant([2.0, 3.0, 5.0])
    assert task_weights(labels, None, None, 1.0) is None
    np.testing.assert_allclose(task_weights(labels, known, None, 1.0), [1, 1, 0])
    np.testing.assert_allclose(task_weights(labels, None, None, 4.0), [4, 1, 4])
    np.testing.assert_allclose(task_weights(labels, known, rows, 4.0), [8, 3, 0])
