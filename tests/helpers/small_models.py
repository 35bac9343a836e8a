"""Two small ranking models: one functional, one subclassed as in production."""

from typing import Any

import numpy as np

import poso_keras
from poso_keras._backend import keras, ops

TASKS = ("long_view", "like")
WIDTH, SEQ, EVENT_DIM, CODE_DIM, BUCKETS = 6, 5, 4, 3, 7


def batch_of(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "features": rng.normal(size=(rows, WIDTH)).astype("float32"),
        "history": rng.normal(size=(rows, SEQ, EVENT_DIM)).astype("float32"),
        "code": rng.normal(size=(rows, CODE_DIM)).astype("float32"),
    }


def functional_model() -> Any:
    inputs = {k: keras.Input(a.shape[1:], name=k) for k, a in batch_of(1).items()}
    features, history, code = inputs.values()
    pooled = poso_keras.POSOMultiHeadAttention(2, 4, name="attention")(
        features, history, code
    )
    joined = keras.layers.Concatenate(name="joined")([features, pooled])
    mixtures = poso_keras.POSOMMoE(3, (8, 4), 2, name="mmoe")(joined, code)
    outputs = []
    for task, mixture in zip(TASKS, mixtures, strict=True):
        tower = poso_keras.POSOMLP((5,), dropout=0.5, name=f"{task}_tower")
        logit = keras.layers.Dense(1, name=f"{task}_logit")(tower(mixture, code))
        outputs.append(keras.layers.Activation("sigmoid", name=task)(logit))
    return randomized(keras.Model(inputs, outputs, name="ranking"))


class SubclassedModel(keras.Model):
    """Embeds an AVC bucket for its gates; reshapes the logits outside of a layer."""

    def __init__(self) -> None:
        super().__init__(name="ranking")
        self.bucket = keras.layers.Embedding(BUCKETS, CODE_DIM, name="bucket")
        self.mmoe = poso_keras.POSOMMoE(3, (8, 4), 2, name="mmoe")
        self.logits = {
            task: keras.layers.Dense(1, name=f"{task}_logit") for task in TASKS
        }

    def call(self, inputs: Any) -> dict[str, Any]:
        code = self.bucket(inputs["avc_bucket"])
        mixtures = self.mmoe(inputs["features"], code)
        return {
            task: ops.reshape(logit(mixture), (-1,))
            for (task, logit), mixture in zip(
                self.logits.items(), mixtures, strict=True
            )
        }


def bucket_batch(rows: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "avc_bucket": rng.integers(0, BUCKETS, rows),
        "features": batch_of(rows, seed)["features"],
    }


def subclassed_model() -> Any:
    model = SubclassedModel()
    model(bucket_batch(2))
    return randomized(model)


def randomized(model: Any) -> Any:
    rng = np.random.default_rng(1)
    model.set_weights(
        [rng.normal(scale=0.5, size=w.shape) for w in model.get_weights()]
    )
    return model


def array(tensor: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor))


def nothing_is_left_behind(model: Any) -> bool:
    """Whether every layer computes its own `call` again."""
    layers = model._flatten_layers()
    return not any("call" in vars(layer) for layer in layers)
