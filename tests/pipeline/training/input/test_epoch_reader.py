"""The order of the training examples, told by their rows in the files' order."""

from itertools import chain

import numpy as np
import pytest
import tensorflow as tf

from pipeline.examples.example_files import read_files
from pipeline.training.input.batches import example_files
from pipeline.training.input.epoch_reader import EpochReader

ROWS = 25


@pytest.fixture(scope="module")
def in_order(small_transform):
    """Each example's place in the file; no two are alike."""
    [file] = example_files(small_transform.train_files)
    found = {
        example: i for i, example in enumerate(read_files(file).as_numpy_iterator())
    }
    assert len(found) == ROWS
    return found


@pytest.fixture
def reader(small_transform):
    def build(files=None, seed=1, batch_size=8, **options):
        return EpochReader(
            files or small_transform.train_files,
            small_transform.output,
            batch_size,
            shuffle_buffer=100,
            seed=seed,
            **options,
        )

    return build


@pytest.fixture
def places(in_order):
    return lambda batches: [[in_order[e] for e in batch.numpy()] for batch in batches]


def test_an_epoch_takes_every_example_once_in_a_mixed_order(reader, places):
    batches = places(reader().serialized(0))
    assert [len(batch) for batch in batches] == [8, 8, 8, 1]
    order = list(chain(*batches))
    assert sorted(order) == list(range(ROWS))
    assert order != sorted(order)


def test_the_order_is_of_the_seed_and_the_epoch_alone(reader, places):
    first = reader()
    before = places(first.serialized(0)), places(first.serialized(1))
    tf.random.uniform([3])
    again = reader()
    # Another epoch is asked for first: nothing is kept between them.
    assert (places(again.serialized(1)), places(again.serialized(0))) == before[::-1]
    assert before[0] != before[1]
    assert places(reader(seed=2).serialized(0)) != before[0]
    assert places(reader(seed=-1).serialized(0)) != before[0]


def test_an_epoch_goes_on_at_any_batch(reader, places):
    whole = places(reader().serialized(3))
    for done in range(5):
        assert places(reader().serialized(3, done)) == whole[done:]


def test_the_last_smaller_batch_is_dropped_where_one_size_is_needed(reader):
    data = reader(drop_remainder=True).batches(0)
    assert data.element_spec["like"].shape == (8,)
    assert [len(batch["like"]) for batch in data] == [8, 8, 8]


@pytest.mark.parametrize("workers", [1, 2])
def test_replicas_share_each_batch_as_it_lies(reader, small_transform, workers):
    """Four replicas of one or two workers, and a last batch of one example."""
    name, replicas = "loudness", 4
    expected = [batch[name].numpy() for batch in reader().batches(1)]
    local = replicas // workers
    shares = [
        [
            share[name].numpy()
            for share in reader().shares(
                1, 0, range(w * local, (w + 1) * local), replicas
            )
        ]
        for w in range(workers)
    ]
    for i, batch in enumerate(expected):
        parts = [s for w in shares for s in w[i * local : (i + 1) * local]]
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        np.testing.assert_array_equal(np.concatenate(parts), batch)
    assert all(len(worker) == 4 * local for worker in shares)


def test_shares_of_one_size_say_so(reader):
    data = reader(drop_remainder=True).shares(0, 0, range(2), 2)
    assert data.element_spec["like"].shape == (4,)


def test_files_are_read_side_by_side_and_their_order_changes(
    reader, in_order, places, tmp_path
):
    examples = list(in_order)
    files = []
    for part in range(5):
        files.append(str(tmp_path / f"part-{part}.gz"))
        with tf.io.TFRecordWriter(files[-1], options="GZIP") as writer:
            for example in examples[part::5]:
                writer.write(example)
    orders = [list(chain(*places(reader(files).serialized(epoch)))) for epoch in (0, 1)]
    assert [sorted(order) for order in orders] == [list(range(ROWS))] * 2
    assert orders[0] != orders[1]


def test_the_example_is_the_first_and_nothing_is_an_error(reader, tmp_path):
    assert reader().example()["like"].shape == (1,)
    empty = str(tmp_path / "empty.gz")
    with tf.io.TFRecordWriter(empty, options="GZIP"):
        pass
    with pytest.raises(ValueError, match=r"nothing to train on.*empty\.gz"):
        reader([empty]).example()
