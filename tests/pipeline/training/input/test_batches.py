import numpy as np
import pytest

from pipeline.training.input.batches import count_examples, read_batches
from tests.helpers.small_transform import analyzed_rows


def column(batches, name):
    return np.concatenate([batch[name].numpy() for batch in batches]).tolist()


def test_batches_hold_all_examples_in_the_files_order(small_transform):
    batches = list(read_batches(small_transform.train_files, small_transform.output, 8))
    assert [len(batch["like"]) for batch in batches] == [8, 8, 8, 1]
    expected = small_transform.apply(*analyzed_rows())
    assert set(batches[0]) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(column(batches, name), value, rtol=1e-6)


def test_examples_are_counted(small_transform):
    assert count_examples(small_transform.train_files) == len(analyzed_rows())


def test_patterns_that_match_nothing_are_named(small_transform, tmp_path):
    pattern = str(tmp_path / "*.gz")
    with pytest.raises(ValueError, match=r"no transformed examples match .*\*\.gz"):
        read_batches([pattern], small_transform.output, 8)
