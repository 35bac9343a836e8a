import numpy as np
import pytest

from pipeline.examples.example_files import (
    sample_examples,
    serialized_batches,
    take_examples,
)
from tests.helpers.small_transform import write_examples

EXAMPLES = [f"{place}".encode() for place in range(100)]


@pytest.fixture(scope="module")
def split_dir(tmp_path_factory):
    """Two files of 60 and 40 examples, made in the other order."""
    folder = tmp_path_factory.mktemp("split")
    write_examples(EXAMPLES[60:], folder / "b")
    write_examples(EXAMPLES[:60], folder / "a")
    (folder / "split").mkdir()
    for place, part in enumerate(("a", "b")):
        [file] = (folder / part).iterdir()
        file.rename(folder / "split" / f"data-{place}.gz")
    return str(folder / "split")


def test_files_are_read_in_the_order_of_their_names(split_dir):
    batches = [b.numpy().tolist() for b in serialized_batches(split_dir, 55)]
    assert [len(batch) for batch in batches] == [55, 45]
    assert [example for batch in batches for example in batch] == EXAMPLES


def test_a_split_without_files_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ValueError, match=f"no example files in {tmp_path}"):
        list(serialized_batches(str(tmp_path)))


def test_a_sample_is_the_same_each_time_whatever_the_batches(split_dir):
    sample = sample_examples(split_dir, 8, seed=3)
    assert len(set(sample)) == 8
    assert set(sample) < set(EXAMPLES)
    for batch_size in (1, 7, 100):
        assert sample_examples(split_dir, 8, seed=3, batch_size=batch_size) == sample
    assert sample_examples(split_dir, 8, seed=4) != sample


def test_a_sample_of_a_small_split_is_all_of_it_mixed(split_dir):
    sample = sample_examples(split_dir, 1000, seed=3)
    assert sorted(sample) == sorted(EXAMPLES)
    assert sample != EXAMPLES


def test_every_example_is_drawn_equally_often(split_dir):
    """Of 150 samples of 40 each example is in 60, give or take 5 deviations."""
    drawn = [e for seed in range(150) for e in sample_examples(split_dir, 40, seed)]
    counts = np.bincount([int(example) for example in drawn], minlength=100)
    assert np.abs(counts - 60).max() < 5 * np.sqrt(150 * 0.4 * 0.6)


@pytest.mark.parametrize("batch_size", [16, 60, 1000])
def test_examples_are_taken_by_their_place(split_dir, batch_size):
    places = [99, 0, 60, 0, 61]
    expected = [EXAMPLES[place] for place in places]
    assert take_examples(split_dir, places, batch_size) == expected
    assert take_examples(split_dir, []) == []


def test_a_place_behind_the_end_is_an_error(split_dir):
    with pytest.raises(IndexError, match=r"has 100 examples. Received: \[100\]"):
        take_examples(split_dir, [3, 100])
