"""A NaN in one feature of one example, from the files to the message."""

import math

import pytest
import tensorflow as tf

from pipeline.config import TrainerPart
from pipeline.examples.example_files import read_files
from pipeline.training import trainer
from pipeline.training.input.batches import example_files
from pipeline.training.loop.finite_losses import NonFiniteLossError
from tests.helpers.small_transform import settings_with
from tests.helpers.training_arguments import training_arguments

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),
]


@pytest.fixture
def eager():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def plant(files, folder):
    """Copies the examples; one has no number in `battery`."""
    path = str(folder / "planted.gz")
    with tf.io.TFRecordWriter(path, options="GZIP") as writer:
        for number, serialized in enumerate(read_files(files).as_numpy_iterator()):
            example = tf.train.Example.FromString(serialized)
            if number == 20:
                [before] = example.features.feature["battery"].float_list.value
                assert math.isfinite(before)
                example.features.feature["battery"].float_list.value[:] = [math.nan]
            writer.write(example.SerializeToString())
    return path


@pytest.mark.usefixtures("eager")
def test_the_feature_is_named_and_no_model_is_exported(
    small_transform, tmp_path, monkeypatch
):
    exported = []
    monkeypatch.setattr(trainer, "export_model", lambda *args: exported.append(args))
    part = settings_with(training={"batch_size": 13, "epochs": 1}).part(TrainerPart)
    args = training_arguments(
        part,
        [plant(example_files(small_transform.train_files), tmp_path)],
        str(small_transform.folder / "graph"),
        tmp_path,
    )
    with pytest.raises(NonFiniteLossError) as error:
        trainer.run_fn(args)
    said = str(error.value)
    assert "epoch 1, step " in said
    assert "input `battery`" in said
    assert "`loudness`" not in said
    assert not exported
