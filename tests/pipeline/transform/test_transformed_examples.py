import numpy as np
import pytest
import tensorflow as tf

from pipeline.training.input.batches import read_batches
from pipeline.transform.transformed_examples import write_transformed_examples
from tests.helpers.small_transform import analyzed_rows, raw_spec, write_examples


@pytest.fixture(scope="module")
def split(small_transform, tmp_path_factory):
    """The small split in two files, 11 and 14 examples, in the same order."""
    folder = tmp_path_factory.mktemp("transformed")
    examples = small_transform.examples(analyzed_rows())
    (folder / "raw").mkdir()
    for place, part in enumerate((examples[:11], examples[11:])):
        write_examples(part, folder / f"part-{place}")
        [file] = (folder / f"part-{place}").iterdir()
        file.rename(folder / "raw" / f"data_tfrecord-0000{place}-of-00002.gz")
    return folder


@pytest.fixture(scope="module")
def written(small_transform, split):
    write_transformed_examples(
        str(split / "Split-train"),
        str(split / "raw"),
        small_transform.output,
        raw_spec(small_transform.config),
    )
    return split / "Split-train"


def read(folder, output):
    [batch] = read_batches([f"{folder}/*.gz"], output, 100)
    return batch


def test_the_files_are_named_as_tfx_names_them(written):
    assert sorted(file.name for file in written.iterdir()) == [
        f"transformed_examples-0000{place}-of-00002.gz" for place in (0, 1)
    ]


def test_the_examples_are_those_that_beam_writes(written, small_transform):
    output = small_transform.output
    tensors = read(written, output)
    expected = read(small_transform.folder / "transformed", output)
    assert tensors.keys() == expected.keys()
    order = np.lexsort([tensors["user_key"], tensors["video_impressions"]])
    theirs = np.lexsort([expected["user_key"], expected["video_impressions"]])
    for name, tensor in expected.items():
        np.testing.assert_array_equal(
            tensors[name].numpy()[order], tensor.numpy()[theirs], name
        )


def test_examples_keep_their_file_and_their_order(written, small_transform):
    expected = small_transform.apply(*analyzed_rows())
    files = sorted(str(file) for file in written.iterdir())
    counts = [
        sum(1 for _ in tf.data.TFRecordDataset(file, compression_type="GZIP"))
        for file in files
    ]
    assert counts == [11, 14]
    for name, tensor in read(written, small_transform.output).items():
        np.testing.assert_array_equal(tensor, expected[name], name)
