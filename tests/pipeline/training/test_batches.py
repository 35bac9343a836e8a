import numpy as np
import pytest

from pipeline.training.batches import read_batches
from tests.helpers.small_transform import analyzed_rows


def column(batches, name):
    return np.concatenate([batch[name].numpy() for batch in batches]).tolist()


def user_and_video(batches):
    return list(
        zip(
            column(batches, "user_key"),
            column(batches, "video_id"),
            column(batches, "avc"),
            strict=True,
        )
    )


def test_batches_hold_all_examples_in_the_files_order(small_transform):
    batches = list(read_batches(small_transform.train_files, small_transform.output, 8))
    assert [len(batch["like"]) for batch in batches] == [8, 8, 8, 1]
    expected = small_transform.apply(*analyzed_rows())
    assert set(batches[0]) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(column(batches, name), value, rtol=1e-6)


def test_the_last_smaller_batch_is_dropped_where_one_size_is_needed(small_transform):
    batches = read_batches(
        small_transform.train_files, small_transform.output, 8, drop_remainder=True
    )
    assert batches.element_spec["like"].shape == (8,)
    assert [len(batch["like"]) for batch in batches] == [8, 8, 8]


def test_mixing_keeps_every_example_and_repeats_by_seed(small_transform):
    def mixed(seed):
        return list(
            read_batches(
                small_transform.train_files,
                small_transform.output,
                8,
                shuffle_buffer=100,
                seed=seed,
            )
        )

    in_order = user_and_video(
        read_batches(small_transform.train_files, small_transform.output, 8)
    )
    first = user_and_video(mixed(1))
    assert first != in_order
    assert sorted(first) == sorted(in_order)
    assert user_and_video(mixed(1)) == first
    assert user_and_video(mixed(2)) != first


def test_each_epoch_is_mixed_anew(small_transform):
    batches = read_batches(
        small_transform.train_files,
        small_transform.output,
        8,
        shuffle_buffer=100,
        seed=1,
    )
    assert user_and_video(list(batches)) != user_and_video(list(batches))


def test_patterns_that_match_nothing_are_named(small_transform, tmp_path):
    pattern = str(tmp_path / "*.gz")
    with pytest.raises(ValueError, match=r"no transformed examples match .*\*\.gz"):
        read_batches([pattern], small_transform.output, 8)
