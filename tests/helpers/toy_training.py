"""A training of one dense layer, small enough to be repeated for every moment."""

from types import SimpleNamespace

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras

from pipeline.model.losses import MeanLoss, mean_loss_share
from pipeline.training.loop.checkpoints import Checkpoints
from pipeline.training.loop.finite_losses import FiniteLosses
from pipeline.training.loop.loop_state import LoopState
from pipeline.training.loop.steps import InSyncSteps
from pipeline.training.loop.stop_signal import StopSignal
from pipeline.training.loop.training_loop import TrainingLoop

ROWS, WIDTH, BATCH = 22, 3, 4  # six batches, the last of two rows
STEPS = 6


def rows():
    """Inputs [rows, width] and labels [rows]."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, WIDTH)).astype(np.float32)
    return x, (x.sum(axis=1) > 0).astype(np.float32)


def order(epoch):
    """The rows' order in an epoch."""
    return np.random.default_rng(epoch).permutation(ROWS)


class ToyReader:
    """As `EpochReader`, of `rows`."""

    def __init__(self, x=None):
        self._x, self._like = rows()
        self._x = self._x if x is None else x

    def batches(self, epoch, done):
        places = order(epoch)
        data = {"x": self._x[places], "like": self._like[places]}
        return tf.data.Dataset.from_tensor_slices(data).batch(BATCH).skip(done)


class ToyModel(tfrs.Model):
    """Logistic regression with dropout on its inputs."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.drop = tf_keras.layers.Dropout(dropout)
        self.dense = tf_keras.layers.Dense(1)
        self.mean_loss = MeanLoss((1.0,), name="mean_loss")

    def call(self, inputs, training=False):
        return self.dense(self.drop(inputs["x"], training=training))[:, 0]

    def compute_loss(self, inputs, training=False):
        losses = tf.nn.sigmoid_cross_entropy_with_logits(
            inputs["like"], self(inputs, training=training)
        )
        self.mean_loss.update_state(
            [tf.reduce_sum(losses)], [tf.cast(tf.size(losses), tf.float32)]
        )
        return mean_loss_share(losses, None)


def toy_training(
    folder,
    *,
    dropout=0.0,
    epochs=2,
    learning_rate=0.1,
    optimizer=tf_keras.optimizers.Adam,
    callbacks=(),
    x=None,
    minutes=1e9,
    stop=None,
):
    """A training as `run_fn` puts it together; the same weights at each call.

    Returns:
        `model`, `loop`, `state`, `checkpoints` and `stop`.
    """
    tf_keras.utils.set_random_seed(7)
    tf_keras.backend.experimental.enable_tf_random_generator()
    model = ToyModel(dropout)
    model.compile(optimizer=optimizer(learning_rate))
    model({"x": rows()[0]})
    model.optimizer.build(model.trainable_variables)
    reader = ToyReader(x)
    finite = FiniteLosses(model, ["like"], ["x", "like"])
    state, stop = LoopState(), stop or StopSignal()
    checkpoints = Checkpoints(
        str(folder), model, state, minutes=minutes, clock=iter_clock()
    )
    checkpoints.restore()
    loop = TrainingLoop(
        model,
        InSyncSteps(model, reader, finite),
        state,
        epochs=epochs,
        evaluate=lambda: model.evaluate(
            ToyReader().batches(0, 0), verbose=0, return_dict=True
        ),
        callbacks=callbacks,
        checkpoints=checkpoints,
        finite=finite,
        stop=stop,
    )
    return SimpleNamespace(
        model=model, loop=loop, state=state, checkpoints=checkpoints, stop=stop
    )


def iter_clock():
    """A clock that goes on by a second whenever one looks."""
    seconds = iter(range(1 << 62))
    return lambda: float(next(seconds))


def all_variables(model):
    """Weights and the optimizer's, as arrays."""
    return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]


class At(tf_keras.callbacks.Callback):
    """Calls a function before the n-th step that it sees, from 0."""

    def __init__(self, number, function):
        super().__init__()
        self._left, self._function = number, function

    def on_train_batch_begin(self, batch, logs=None):
        if self._left == 0:
            self._function()
        self._left -= 1
