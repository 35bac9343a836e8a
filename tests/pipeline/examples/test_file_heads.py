from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from pipeline.examples.file_heads import draw_heads
from pipeline.examples.split_files import SplitFiles
from pipeline.examples.split_parts import Assigned, Part

# Rows of each day; those of the last are ten times as long as those of the others.
DAYS = {10: 3000, 11: 12_000, 12: 9000}
USERS, BLOCKS = 80, 16


@pytest.fixture(scope="module")
def split_dir(tmp_path_factory):
    """A split of `DAYS`, written in blocks of five users each."""
    folder = tmp_path_factory.mktemp("heads")
    (folder / "spill").mkdir()
    files = SplitFiles(folder / "spill", 3)
    day = np.repeat(list(DAYS), list(DAYS.values()))
    user = np.arange(len(day)) % USERS
    texts = np.where(day == 12, "a text that is longer " * 10, "text")
    table = pa.table({"day": day, "user": user, "text": texts})
    parts = [Part("train", number) for number in DAYS]
    for block in range(BLOCKS):
        rows = np.flatnonzero(user % BLOCKS == block)
        numbers = np.searchsorted(list(DAYS), day[rows])
        files.add(block, table.take(pa.array(rows)), Assigned(numbers, parts))
    files.finish({"train": folder / "train"})
    return str(folder / "train")


def values(examples, name):
    parsed = tf.io.parse_example(examples, {name: tf.io.FixedLenFeature([], tf.int64)})
    return parsed[name].numpy()


def test_each_day_has_its_share_whatever_its_rows_weigh(split_dir):
    drawn, examples = draw_heads(split_dir, 2400, DAYS)
    assert examples == sum(DAYS.values())
    of_day = Counter(values(drawn, "day").tolist())
    for day, rows in DAYS.items():
        assert of_day[day] == pytest.approx(rows / 10, abs=9)  # one for each file
    assert len(drawn) == 2400


def test_no_example_is_drawn_twice_and_the_same_ones_are_drawn_again(split_dir):
    drawn, _ = draw_heads(split_dir, 2400, DAYS)
    assert drawn == draw_heads(split_dir, 2400, DAYS)[0]
    counted = Counter(zip(values(drawn, "day"), values(drawn, "user"), strict=True))
    # As often as the log has them at most: a row is its day and its user here.
    assert all(count <= DAYS[day] / USERS for (day, _), count in counted.items()), (
        counted
    )


def test_a_tenth_has_most_of_the_users(split_dir):
    """Though a file's beginning is of some blocks alone, and a block of some users.

    In order the beginnings of three files would have 15 of the 80 users.
    """
    drawn, _ = draw_heads(split_dir, 2400, DAYS)
    of_user = np.bincount(values(drawn, "user"), minlength=USERS)
    assert (of_user > 0).mean() > 0.7
    assert of_user.max() < 4 * of_user.mean()
