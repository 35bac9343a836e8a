import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf

from pipeline.examples import split_files
from pipeline.examples.split_files import SplitFiles
from pipeline.examples.split_parts import Assigned, Part
from tests.helpers.waiting import wait_until

ONE, OTHER = Part("train", 10), Part("eval", 11)
ROWS = 40


@pytest.fixture
def write(tmp_path):
    """Writes blocks of numbered rows, even ones to `ONE`, odd ones to `OTHER`."""

    def do(name, blocks, files=2):
        spill = tmp_path / f"{name}-spill"
        spill.mkdir()
        written = SplitFiles(spill, files)
        for block in blocks:
            numbers = np.arange(ROWS) + block * ROWS
            assigned = Assigned(np.where(numbers % 5, numbers % 2, -1), [ONE, OTHER])
            written.add(block, pa.table({"number": numbers}), assigned)
        folders = {split: tmp_path / name / split for split in ("train", "eval")}
        rows = written.finish(folders)
        assert not list(spill.iterdir())
        return folders, rows

    return do


def numbers_in(folder):
    found = []
    for path in sorted(folder.iterdir()):
        for record in tf.data.TFRecordDataset(str(path), compression_type="GZIP"):
            features = tf.train.Example.FromString(record.numpy()).features
            found.append(features.feature["number"].int64_list.value[0])
    return found


def test_each_row_is_in_a_file_of_its_part(write):
    folders, rows = write("out", range(3))
    even = [n for n in range(120) if n % 5 and n % 2 == 0]
    odd = [n for n in range(120) if n % 5 and n % 2]
    assert sorted(numbers_in(folders["train"])) == even
    assert sorted(numbers_in(folders["eval"])) == odd
    assert rows == {ONE: len(even), OTHER: len(odd)}


def test_the_order_does_not_depend_on_when_blocks_come(write):
    first, _ = write("first", [0, 1, 2])
    second, _ = write("second", [2, 0, 1])
    order = numbers_in(first["train"])
    assert order == numbers_in(second["train"])
    assert order != sorted(order)


def test_blocks_are_mixed_all_over_a_part(write, monkeypatch):
    """Whatever a training takes at a time has examples of most users."""
    monkeypatch.setattr(split_files, "_LEAST_IN_PIECE", 1)
    folders, _ = write("out", range(8))
    blocks = [number // ROWS for number in numbers_in(folders["train"])]
    quarter = len(blocks) // 4
    for start in range(0, len(blocks) - quarter + 1, quarter):
        assert len(set(blocks[start : start + quarter])) >= 6


def test_small_parts_have_few_files_and_large_ones_as_many_as_asked(write, monkeypatch):
    few, _ = write("few", range(6), files=4)
    assert [path.name for path in few["train"].iterdir()] == [
        "examples-1970-01-11-00000-of-00001.gz"
    ]
    monkeypatch.setattr(split_files, "_LEAST_ROWS", 20)
    many, _ = write("many", range(6), files=4)
    assert len(list(many["train"].iterdir())) == 4
    assert numbers_in(many["train"]) == numbers_in(few["train"])


def test_a_block_too_large_to_hold_becomes_several_pieces(write, monkeypatch):
    monkeypatch.setattr(split_files, "_ROWS_AT_A_TIME", 7)
    monkeypatch.setattr(split_files, "_HELD_BYTES", 200)
    folders, rows = write("out", [0])
    even = [n for n in range(0, ROWS, 2) if n % 5]
    assert sorted(numbers_in(folders["train"])) == even
    assert rows[ONE] == len(even)


def test_a_split_without_rows_is_an_empty_folder(write):
    folders, rows = write("out", [])
    assert not list(folders["train"].iterdir())
    assert not rows


def test_all_threads_together_hold_no_more_than_they_may(tmp_path, monkeypatch):
    monkeypatch.setattr(split_files, "_ALL_HELD_BYTES", 2 * split_files._HELD_BYTES)
    encode, go_on = split_files.encode_examples, threading.Event()
    inside, asked = [], []

    def slow_encode(table):
        inside.append(table)
        assert go_on.wait(60)
        return encode(table)

    class Asked(threading.Semaphore):
        def __enter__(self):
            asked.append(self)
            return super().__enter__()

    monkeypatch.setattr(split_files, "encode_examples", slow_encode)
    monkeypatch.setattr(split_files.threading, "Semaphore", Asked)
    written = SplitFiles(tmp_path, 2)
    with ThreadPoolExecutor(3) as threads:
        for block in range(3):
            rows = pa.table({"number": range(ROWS)})
            assigned = Assigned(np.zeros(ROWS, np.int64), [ONE])
            threads.submit(written.add, block, rows, assigned)
        wait_until(lambda: len(inside) == 3 or (len(asked) == 3 and len(inside) == 2))
        held = len(inside)
        go_on.set()
    assert held == 2
    assert written.finish({"train": tmp_path / "train"}) == {ONE: 3 * ROWS}
