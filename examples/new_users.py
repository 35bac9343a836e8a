"""Trains a plain ranking model and its POSO twin on a made-up feed, in under a minute.

    python examples/new_users.py

One user in twenty is new, and new users choose differently: regular users go by their
taste, new users by a video's popularity. Both models are told the accumulated view
count (AVC). The plain one has it as one feature among others; the other's gates read
it. Prints the GAUC of both for new and regular users, what the gates cost, how much
of the activations depends on the AVC, and the gates over AVC buckets. Runs under
every backend of Keras 3 and under tf_keras.
"""

import argparse
import importlib.util
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import poso_keras
from poso_keras import diagnostics

legacy = os.environ.get("TF_USE_LEGACY_KERAS") in ("1", "true", "True")
if legacy and importlib.util.find_spec("tf_keras"):
    import tf_keras as keras
else:
    import keras

NEW_BELOW = 10  # views
BUCKETS = 11  # AVC 0, 1-2, 3-6, 7-14, ... 1023 and more
LENGTH, TASTE = 20, 8  # of the history, of an embedded video


def make_feed(users, videos=2000, impressions=24, seed=0):
    """Returns inputs by name and labels by task, one row per impression."""
    rng = np.random.default_rng(seed)
    catalogue = np.random.default_rng(42)  # the same videos for every set of users
    topics = catalogue.normal(size=(videos, TASTE)).astype("float32")
    popularity = catalogue.normal(size=videos).astype("float32")

    start = np.where(rng.random(users) < 0.05, 0, rng.integers(10, 2000, users))
    user = np.repeat(np.arange(users), impressions)
    avc = (start[:, None] + np.arange(impressions)).ravel()
    taste = rng.normal(size=(users, TASTE)).astype("float32")

    # What regular users watched before is near their taste; new users have no past.
    near = np.argsort(-(taste @ topics.T) + rng.gumbel(size=(users, videos)), axis=1)
    past = np.minimum(avc, LENGTH)
    steps = np.arange(LENGTH) < past[:, None]
    history = np.where(steps[..., None], topics[near[user, :LENGTH]], 0)

    video = rng.integers(0, videos, len(user))
    by_taste = (taste[user] * topics[video]).sum(1) / np.sqrt(TASTE)
    by_popularity = 2 * popularity[video]
    wanted = np.where(avc < NEW_BELOW, by_popularity, by_taste)
    labels = {
        "long_view": rng.random(len(user)) < 1 / (1 + np.exp(-2 * wanted)),
        "like": rng.random(len(user)) < 1 / (1 + np.exp(2 - wanted)),
    }
    inputs = {
        "video": np.c_[topics[video], popularity[video]].astype("float32"),
        "history": history.astype("float32"),
        "history_mask": steps,
        "avc_bucket": np.minimum(np.log2(avc + 1), BUCKETS - 1).astype("int32"),
    }
    return inputs, {k: v.astype("float32") for k, v in labels.items()}, user, avc


def make_model(personalized):
    """Attention over the history, experts, one tower per task (the paper's Fig. 2)."""
    if personalized:
        attention = poso_keras.POSOMultiHeadAttention(2, 8, name="attention")
        experts = poso_keras.POSOMMoE(4, (32, 16), num_tasks=2, name="experts")
        tower = poso_keras.POSOMLP
    else:
        attention = poso_keras.SequenceAttention(2, 8, name="attention")
        experts = poso_keras.MMoE(4, (32, 16), num_tasks=2, name="experts")
        tower = poso_keras.MLP
    inputs = {
        "video": keras.Input((TASTE + 1,), name="video"),
        "history": keras.Input((LENGTH, TASTE), name="history"),
        "history_mask": keras.Input((LENGTH,), name="history_mask", dtype="bool"),
        "avc_bucket": keras.Input((), name="avc_bucket", dtype="int32"),
    }
    code = keras.layers.Embedding(BUCKETS, 8, name="code")(inputs["avc_bucket"])
    watched = attention(
        inputs["video"], inputs["history"], code, attention_mask=inputs["history_mask"]
    )
    merged = keras.layers.Concatenate()([inputs["video"], watched, code])
    outputs = {}
    for task, hidden in zip(("long_view", "like"), experts(merged, code), strict=True):
        hidden = tower((16,), name=f"{task}_tower")(hidden, code)
        outputs[task] = keras.layers.Dense(1, "sigmoid", name=task)(hidden)
    model = keras.Model(inputs, outputs)
    loss = dict.fromkeys(outputs, "binary_crossentropy")
    model.compile(keras.optimizers.Adam(3e-3), loss=loss)
    return model


def main():
    """Trains and compares the two models."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--users", type=int, default=4000, help="to train on")
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    began = time.perf_counter()
    keras.utils.set_random_seed(1)
    inputs, labels, _, _ = make_feed(arguments.users)
    held_out, truth, user, avc = make_feed(4000, seed=1)

    models, scores = {}, {}
    for name in ("plain", "POSO"):
        model = models[name] = make_model(personalized=name == "POSO")
        model.fit(inputs, labels, batch_size=512, epochs=arguments.epochs, verbose=2)
        scores[name] = model.predict(held_out, batch_size=4096, verbose=0)

    print("\nGAUC             plain    POSO")
    for task, values in truth.items():
        for group, rows in (("new", avc < NEW_BELOW), ("regular", avc >= NEW_BELOW)):
            both = [
                poso_keras.gauc(values[rows], scores[name][task][rows], user[rows])
                for name in ("plain", "POSO")
            ]
            print(f"{task:10} {group:7} {both[0].value:.4f}  {both[1].value:.4f}")

    for name, model in models.items():
        print(f"\n{name}\n{diagnostics.model_cost(model)}")
    print("\nChange of the last activations when the AVC is masked")
    batches = [{key: values[:5000] for key, values in held_out.items()}]
    for name, model in models.items():
        heard = diagnostics.masking_sensitivity(model, batches, ["avc_bucket"])
        print(f"{name:5} {heard.relative['avc_bucket']:.1%}")
    print("\nGates of the experts by AVC bucket")
    buckets = {"avc_bucket": np.arange(BUCKETS, dtype="int32")}
    gates = diagnostics.gate_profile(models["POSO"], buckets).gates
    for bucket, row in enumerate(gates["experts/gate"]):
        values = "  ".join(f"{gate:.2f}" for gate in row)
        print(f"{2**bucket - 1:5} views and more  {values}")
    print(f"\n{time.perf_counter() - began:.0f} seconds")


if __name__ == "__main__":
    main()
