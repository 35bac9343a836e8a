"""A loss that is not finite stops a training, which says where it came from."""

import os

import numpy as np
import pytest
import tf_keras

from pipeline.training.loop.finite_losses import NonFiniteLossError
from tests.helpers.toy_training import BATCH, STEPS, At, order, rows, toy_training

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_input_is_named_with_the_step_that_read_it(tmp_path, value):
    x, _ = rows()
    planted = int(order(1)[2 * BATCH])  # seen in the second epoch's third step ...
    seen = list(order(0)).index(planted) // BATCH + 1  # ... and before, in the first
    x[planted, 1] = value
    training = toy_training(tmp_path, x=x)
    with pytest.raises(NonFiniteLossError) as error:
        training.loop.run()
    said = str(error.value)
    assert f"epoch 1, step {seen}: not finite: input `x`, " in said
    assert "the loss of task `like`" in said
    assert "Fix this input in the log, or drop the feature" in said


def test_a_training_that_grows_without_bound_is_told_to_learn_slower(tmp_path):
    training = toy_training(
        tmp_path,
        x=np.float32(1e20) * rows()[0],
        learning_rate=1e30,
        optimizer=tf_keras.optimizers.SGD,
    )
    with pytest.raises(NonFiniteLossError) as error:
        training.loop.run()
    said = str(error.value)
    assert "epoch 1, step " in said
    assert "input" not in said.split(". ")[0]
    assert "lower training.learning_rate" in said


def test_a_training_that_has_failed_is_not_saved(tmp_path):
    """Each step has its checkpoint; the weights are spoilt after the fourth."""
    training = toy_training(
        tmp_path,
        minutes=1e-9,
        callbacks=[
            At(
                4,
                lambda: training.model.dense.kernel.assign(
                    np.full((3, 1), np.nan, np.float32)
                ),
            )
        ],
    )
    with pytest.raises(NonFiniteLossError, match=r"step 5: .*task `like`"):
        training.loop.run()
    again = toy_training(tmp_path, callbacks=[At(99, lambda: None)])
    assert (again.state.epoch, again.state.step) == (0, 4)
    assert np.isfinite(again.model.dense.kernel.numpy()).all()
    again.loop.run()
    assert int(again.model.optimizer.iterations) == 2 * STEPS


def test_weights_that_the_last_step_spoilt_are_named(tmp_path):
    class Spoil(tf_keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == STEPS - 1:
                self.model.dense.bias.assign([np.inf])

    with pytest.raises(NonFiniteLossError, match=f"step {STEPS}: weights.*bias"):
        toy_training(tmp_path, callbacks=[Spoil()]).loop.run()
    assert not any("training-" in name for name in os.listdir(tmp_path))
