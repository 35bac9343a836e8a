import numpy as np
import pytest
from layer_checks import normal

from poso_keras import GAUC, gauc
from poso_keras._backend import keras

X, USERS = normal(60, 3), np.arange(60) % 7
LABELS = (normal(60, seed=1) > 0).astype("float32")


def model_of(outputs):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, outputs(inputs))
    model.compile(keras.optimizers.SGD(0.5), loss="mse")
    return model


def test_logs_the_gauc_of_each_epoch_for_history_and_early_stopping():
    model = model_of(keras.layers.Dense(1))
    values = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: values.append(
            gauc(LABELS, model.predict(X, verbose=0), USERS).value
        )
    )
    stop = keras.callbacks.EarlyStopping("val_gauc", mode="max", min_delta=2)
    watch = GAUC(X, LABELS, USERS, batch_size=16)
    history = model.fit(X, LABELS, epochs=5, callbacks=[watch, record, stop], verbose=0)
    assert len(values) == 2
    assert history.history["val_gauc"] == pytest.approx(values, abs=1e-6)


def test_several_outputs_are_named():
    model = model_of(
        lambda x: {"like": keras.layers.Dense(1)(x), "follow": keras.layers.Dense(1)(x)}
    )
    watch = GAUC(X, {"like": LABELS, "follow": 1 - LABELS}, USERS, "none")
    watch.set_model(model)
    scores = model.predict(X, verbose=0)
    assert watch.evaluate() == {
        "val_like_gauc": gauc(LABELS, scores["like"], USERS, "none").value,
        "val_follow_gauc": gauc(1 - LABELS, scores["follow"], USERS, "none").value,
    }


def test_labels_of_other_outputs_are_named():
    watch = GAUC(X, {"like": LABELS}, USERS)
    watch.set_model(model_of(keras.layers.Dense(1)))
    with pytest.raises(ValueError, match=r"`labels` must name .*Received: \['like'\]"):
        watch.evaluate()


def test_an_unknown_weighting_is_named():
    with pytest.raises(ValueError, match=r"`weighting` must be one of .* 'users'"):
        GAUC(X, LABELS, USERS, "users")
