import numpy as np
import pytest
import tensorflow as tf

from poso_keras import POSOMMoE, POSOMultiHeadAttention
from poso_keras._backend import keras
from tests.helpers.layer_checks import normal

pytestmark = pytest.mark.e2e


@keras.utils.register_keras_serializable(package="test_distribution")
class Ranker(keras.Model):
    """A subclassed model: its layers are first called inside the strategy."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = POSOMultiHeadAttention(2, 4)
        self.experts = POSOMMoE(3, (1,), num_tasks=2, activation=None)

    def call(self, x):
        history = self.attention(x["query"], x["value"], x["code"], x["mask"])
        like, follow = self.experts(history, x["code"])
        return like + follow


def batch(size=8):
    return {
        "query": normal(size, 4),
        "value": normal(size, 5, 6),
        "code": normal(size, 3),
        "mask": np.tri(size, 5, dtype="float32"),
    }


def test_trains_under_a_mirrored_strategy_as_on_one_device():
    data, targets = batch(), normal(8, 1, seed=3)
    strategy = tf.distribute.MirroredStrategy(
        [f"CPU:{i}" for i, _ in enumerate(tf.config.list_logical_devices("CPU"))]
    )
    single = Ranker()
    single(data)
    with strategy.scope():
        mirrored = Ranker()
        mirrored(data)
        mirrored.compile(keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
    mirrored.set_weights(single.get_weights())
    single.compile(keras.optimizers.SGD(0.1), loss="mse", jit_compile=False)
    for model in (single, mirrored):
        model.fit(data, targets, batch_size=8, epochs=3, shuffle=False, verbose=0)
    for a, b in zip(single.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-5)


def test_a_subclassed_model_is_saved_and_loaded(tmp_path):
    model = Ranker()
    expected = np.array(model(batch()))
    model.save(tmp_path / "ranker.keras")
    loaded = keras.models.load_model(tmp_path / "ranker.keras")
    np.testing.assert_allclose(loaded(batch()), expected, rtol=1e-6)
    model.export(str(tmp_path / "exported"))
    assert (tmp_path / "exported" / "saved_model.pb").exists()
