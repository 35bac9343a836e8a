import weakref

import numpy as np
import pytest

from poso_keras import GAUC, gauc
from poso_keras._backend import keras
from tests.helpers.backends import BACKEND, ON_TENSORFLOW, gradients_recorded
from tests.helpers.layer_checks import normal

X, USERS = normal(60, 3), np.arange(60) % 7
LABELS = (normal(60, seed=1) > 0).astype("float32")


def model_of(outputs):
    inputs = keras.Input((3,))
    model = keras.Model(inputs, outputs(inputs))
    model.compile(keras.optimizers.SGD(0.5), loss="mse")
    return model


def evaluated(model, *args, **kwargs):
    watch = GAUC(*args, **kwargs)
    watch.set_model(model)
    return watch.evaluate()


@pytest.fixture
def model():
    return model_of(keras.layers.Dense(1))


@pytest.fixture
def expected(model):
    return {"val_gauc": gauc(LABELS, model.predict(X, verbose=0), USERS).value}


def test_logs_the_gauc_of_each_epoch_for_history_and_early_stopping(model):
    values = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: values.append(
            gauc(LABELS, model.predict(X, verbose=0), USERS).value
        )
    )
    stop = keras.callbacks.EarlyStopping("val_gauc", mode="max", min_delta=2)
    watch = GAUC((X, LABELS), USERS, batch_size=16)
    with gradients_recorded(True):
        history = model.fit(
            X,
            LABELS,
            epochs=5,
            validation_data=(X, LABELS),
            callbacks=[watch, record, stop],
            verbose=0,
        )
    assert len(values) == 2
    assert history.history["val_gauc"] == pytest.approx(values, abs=1e-6)


def test_sample_weights_are_accepted_and_ignored(model, expected):
    data = (X, LABELS, np.arange(60.0))
    assert evaluated(model, data, USERS) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("unknown", [-1.0, np.nan])
def test_impressions_of_unknown_label_are_left_out(model, unknown):
    known = np.arange(60) % 3 > 0
    labels = np.where(known, LABELS, unknown).astype("float32")
    scores = model.predict(X, verbose=0)
    expected = gauc(LABELS[known], scores[known], USERS[known]).value
    result = evaluated(model, (X, labels), USERS, unknown_label=unknown)
    assert result["val_gauc"] == pytest.approx(expected, abs=1e-6)
    everything = np.full(60, unknown, "float32")
    result = evaluated(model, (X, everything), USERS, unknown_label=unknown)
    assert np.isnan(result["val_gauc"])


def test_an_unknown_label_that_cannot_be_is_refused_before_training():
    with pytest.raises(ValueError, match="`unknown_label` must be a number other"):
        GAUC((X, LABELS), USERS, unknown_label=0)


class Named(keras.Model):
    """A model of several inputs that does not look at the user's id."""

    def __init__(self):
        super().__init__()
        self.score = keras.layers.Dense(1)

    def call(self, x):
        return self.score(x["features"])


def test_user_ids_can_be_an_input():
    model = Named()
    inputs = {"features": X, "user_id": USERS}
    expected = gauc(LABELS, model.predict(inputs, verbose=0), USERS).value
    result = evaluated(model, (inputs, LABELS), "user_id")
    assert result["val_gauc"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="tf.data is TensorFlow's")
def test_a_shuffled_data_set_brings_its_user_ids_along():
    import tensorflow as tf

    model = Named()
    inputs = {"features": X, "user_id": USERS}
    expected = gauc(LABELS, model.predict(inputs, verbose=0), USERS).value
    data = tf.data.Dataset.from_tensor_slices((inputs, LABELS))
    shuffled = data.shuffle(60, seed=1).batch(8)
    result = evaluated(model, shuffled, "user_id")
    assert result["val_gauc"] == pytest.approx(expected, abs=1e-6)
    endless = shuffled.repeat()
    assert evaluated(model, endless, "user_id", steps=8) == pytest.approx(result)


class Batches(getattr(keras.utils, "PyDataset", keras.utils.Sequence)):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(15 * index, 15 * (index + 1))
        return X[part], LABELS[part]


def test_batches_of_keras_with_user_ids_in_their_order(model, expected):
    assert evaluated(model, Batches(), USERS) == pytest.approx(expected, abs=1e-6)


@pytest.mark.skipif(BACKEND != "torch", reason="DataLoader is PyTorch's")
def test_a_data_loader(model, expected):
    from torch.utils.data import DataLoader

    loader = DataLoader(list(zip(X, LABELS, strict=True)), batch_size=8)
    assert evaluated(model, loader, USERS) == pytest.approx(expected, abs=1e-6)


def test_several_outputs_are_named():
    model = model_of(
        lambda x: {"like": keras.layers.Dense(1)(x), "follow": keras.layers.Dense(1)(x)}
    )
    labels = {"like": LABELS, "follow": 1 - LABELS}
    scores = model.predict(X, verbose=0)
    assert evaluated(model, (X, labels), USERS, "none") == {
        "val_like_gauc": gauc(LABELS, scores["like"], USERS, "none").value,
        "val_follow_gauc": gauc(1 - LABELS, scores["follow"], USERS, "none").value,
    }


def test_labels_of_other_outputs_are_named(model):
    with pytest.raises(ValueError, match=r"labels must name .*Received: \['like'\]"):
        evaluated(model, (X, {"like": LABELS}), USERS)


def test_a_missing_user_id_input_is_named(model):
    with pytest.raises(ValueError, match=r"`user_ids` must name .*'uid' .* ndarray"):
        evaluated(model, (X, LABELS), "uid")


def test_no_batch_is_an_error(model):
    with pytest.raises(ValueError, match="`validation_data` must hold at least one"):
        evaluated(model, [], USERS)


def test_an_unknown_weighting_is_named():
    with pytest.raises(ValueError, match=r"`weighting` must be one of .* 'users'"):
        GAUC((X, LABELS), USERS, "users")


def test_of_a_batchs_inputs_only_the_users_are_kept():
    model, seen = Named(), []

    def batches():
        for start in range(0, 60, 5):
            alive = [reference for reference in seen if reference() is not None]
            assert len(alive) <= 3  # a backend may hold those that it just predicted
            rows = slice(start, start + 5)
            features = X[rows].copy()
            seen.append(weakref.ref(features))
            yield {"features": features, "user_id": USERS[rows]}, LABELS[rows]
            del features

    result = evaluated(model, batches(), "user_id")
    scores = model.predict({"features": X, "user_id": USERS}, verbose=0)
    expected = gauc(LABELS, scores, USERS).value
    assert result["val_gauc"] == pytest.approx(expected, abs=1e-6)
    assert len(seen) == 12


GROUPS = np.arange(60) % 4
NAMES = {1: "new", 3: "regular", 9: "nobody"}


def of_groups(model, labels=LABELS):
    scores = model.predict(X, verbose=0)
    expected = {"val_gauc": gauc(labels, scores, USERS).value}
    for value, name in NAMES.items():
        rows = value == GROUPS
        expected[f"val_gauc_{name}"] = (
            gauc(labels[rows], scores[rows], USERS[rows]).value
            if rows.any()
            else np.nan
        )
    return expected


def test_each_named_group_has_a_gauc_of_its_impressions(model):
    result = evaluated(
        model, (X, LABELS), USERS, groups=GROUPS, group_names=NAMES, batch_size=16
    )
    assert result == pytest.approx(of_groups(model), abs=1e-6, nan_ok=True)
    assert len({*result.values()}) == 4


def test_groups_are_found_by_name_in_batches(model):
    batches = [
        ({"x": X[i : i + 25], "group": GROUPS[i : i + 25, None]}, LABELS[i : i + 25])
        for i in range(0, 60, 25)
    ]
    inputs = keras.Input((3,), name="x"), keras.Input((1,), name="group")
    # An input that the model does not use would not be one of Keras 3's.
    unused = keras.layers.Dense(1, kernel_initializer="zeros")(inputs[1])
    scores = keras.layers.Add()([model.layers[-1](inputs[0]), unused])
    named = keras.Model({"x": inputs[0], "group": inputs[1]}, scores)
    watch = {"groups": "group", "group_names": NAMES}
    result = evaluated(named, batches, USERS, **watch)
    assert result == pytest.approx(of_groups(model), abs=1e-6, nan_ok=True)
    with pytest.raises(ValueError, match="`groups` must name an input"):
        evaluated(named, batches, USERS, groups="side", group_names=NAMES)


@pytest.mark.parametrize("one", [{"groups": GROUPS}, {"group_names": NAMES}])
def test_groups_without_names_are_refused(one):
    with pytest.raises(ValueError, match="must be given together"):
        GAUC((X, LABELS), USERS, **one)
