import pytest

from pipeline.examples.example_files import serialized_batches
from tests.helpers.small_transform import write_examples


def test_files_are_read_in_the_order_of_their_names(tmp_path):
    write_examples([b"3", b"4"], tmp_path / "b")
    write_examples([b"1", b"2"], tmp_path / "a")
    (tmp_path / "split").mkdir()
    for place, part in enumerate(("a", "b")):
        [file] = (tmp_path / part).iterdir()
        file.rename(tmp_path / "split" / f"data-{place}.gz")
    batches = serialized_batches(str(tmp_path / "split"), batch_size=3)
    assert [b.numpy().tolist() for b in batches] == [[b"1", b"2", b"3"], [b"4"]]


def test_a_split_without_files_is_an_error_that_names_it(tmp_path):
    with pytest.raises(ValueError, match=f"no example files in {tmp_path}"):
        list(serialized_batches(str(tmp_path)))
