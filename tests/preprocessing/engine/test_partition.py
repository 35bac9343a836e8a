import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.engine.partition import assign_shards, partition


@given(keys=st.lists(st.text(max_size=3)), shards=st.integers(1, 20))
def test_every_row_is_in_one_shard_with_all_rows_of_its_key(keys, shards):
    table = pa.table({"key": pa.array(keys, pa.string()), "row": range(len(keys))})
    parts = dict(partition(table, "key", shards))
    rows = [row for part in parts.values() for row in part["row"].to_pylist()]
    assert sorted(rows) == list(range(len(keys)))
    homes = [
        (key, n) for n, part in parts.items() for key in set(part["key"].to_pylist())
    ]
    assert len(homes) == len(set(keys))
    assert all(0 <= shard < shards and part.num_rows for shard, part in parts.items())
    for part in parts.values():
        assert part["row"].to_pylist() == sorted(part["row"].to_pylist())


@pytest.mark.e2e
def test_shards_are_the_same_in_every_process():
    code = (
        "import pyarrow as pa\n"
        "from preprocessing.engine.partition import assign_shards\n"
        "print(assign_shards(pa.array(['a', '712', 'é']), 1000).tolist())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "5"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = assign_shards(pa.array(["é", "712", "a"]), 1000).tolist()
    assert other.stdout.strip() == str(here[::-1])


def test_shards_are_of_about_equal_size():
    keys = pa.array([str(i) for i in range(16_000)])
    counts = np.bincount(assign_shards(keys, 16), minlength=16)
    assert counts.min() > 850
    assert counts.max() < 1150
