from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.engine.disk_shuffle import DiskShuffle
from preprocessing.engine.partition import assign_shards

keys = st.lists(st.sampled_from([*"abcdefg", "é", ""]), max_size=20)


def table(column, name="other"):
    return pa.table({"key": pa.array(column, pa.string()), name: range(len(column))})


def rows(tables):
    return sorted(repr(row) for part in tables for row in part.to_pylist())


@given(
    parts=st.lists(keys, max_size=6), shards=st.integers(1, 5), limit=st.integers(1, 30)
)
def test_what_is_added_is_taken_once_and_in_its_shard(
    tmp_path_factory, parts, shards, limit
):
    files = DiskShuffle(tmp_path_factory.mktemp("shards"), "key", shards)
    tables = [table(part, f"column-{i % 2}") for i, part in enumerate(parts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("preprocessing.engine.disk_shuffle._BUFFERED_ROWS", limit)
        for part in tables:
            files.add(part)
    taken = {shard: files.take(shard) for shard in files.shards()}
    assert rows(part for some in taken.values() for part in some) == rows(tables)
    for shard, some in taken.items():
        for part in some:
            assert set(assign_shards(part["key"], shards)) == {shard}
    assert [part for shard in taken for part in files.take(shard)] == []


def test_many_threads_may_add(tmp_path, monkeypatch):
    monkeypatch.setattr("preprocessing.engine.disk_shuffle._BUFFERED_ROWS", 50)
    files = DiskShuffle(tmp_path / "shards", "key", 3)
    parts = [table([f"k{i}-{j}" for j in range(20)]) for i in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(files.add, parts))
    taken = [part for shard in files.shards() for part in files.take(shard)]
    assert rows(taken) == rows(parts)
    assert not list((tmp_path / "shards").iterdir())
