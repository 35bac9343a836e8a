"""A TFRecord file is read to its end, or the place where it breaks is named."""

import gzip
import zlib

import pytest
import tensorflow as tf

from preprocessing.readers.tfrecord_records import record_batches
from preprocessing.storage.files import SourceError

RECORDS = [b"one", b"", b"three" * 9]
STARTS = [0, 19, 35, 96]  # each record has 16 bytes more than its content


@pytest.fixture
def whole(tmp_path):
    path = tmp_path / "whole"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in RECORDS:
            writer.write(record)
    return path.read_bytes()


def read(tmp_path, content, batch=2):
    (tmp_path / "file").write_bytes(content)
    batches = list(record_batches(str(tmp_path / "file"), "a.tfrecord", batch))
    return [record for batch in batches for record in batch]


def test_a_file_cut_anywhere_is_whole_records_or_an_error_with_the_place(
    tmp_path, whole
):
    assert len(whole) == STARTS[-1]
    for size in range(len(whole) + 1):
        if size in STARTS:  # as a writer leaves it that wrote fewer records
            found = read(tmp_path, whole[:size])
            assert found == RECORDS[: STARTS.index(size)]
            continue
        start = max(s for s in STARTS if s < size)
        message = rf"a\.tfrecord is no whole.*: the record at byte {start} is cut short"
        with pytest.raises(SourceError, match=message):
            read(tmp_path, whole[:size])


@pytest.mark.parametrize("members", [1, 3])
def test_a_compressed_file_cut_anywhere_is_an_error(tmp_path, whole, members):
    thirds = [whole] if members == 1 else [whole[:20], whole[20:60], whole[60:]]
    zipped = b"".join(map(gzip.compress, thirds))
    assert read(tmp_path, zipped) == RECORDS
    for size in range(1, len(zipped)):
        with pytest.raises(
            SourceError, match=r"a\.tfrecord is no whole.* is cut short"
        ):
            read(tmp_path, zipped[:size])


@pytest.mark.parametrize("zipped", [False, True])
def test_a_changed_byte_anywhere_is_an_error_or_changes_nothing(
    tmp_path, whole, zipped
):
    content = gzip.compress(whole, mtime=0) if zipped else whole
    harmless = 0  # the time in GZIP's header, bits between its blocks
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x40
        try:
            assert read(tmp_path, bytes(changed)) == RECORDS
            harmless += 1
        except SourceError:
            continue
    assert harmless <= (10 if zipped else 0)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"user_id,video_id\na,b\n" * 9, "; it seems to be text"),
        (b'{"user_id": "a"}\n' * 9, "; it seems to be JSON"),
        (bytes(100), "; it seems to be zeros"),
        (gzip.compress(b"user_id,video_id\n" * 9, mtime=0), "the record at byte 0"),
        (zlib.compress(b"junk" * 99), "the record at byte 0"),
    ],
)
def test_what_is_something_else_is_named(tmp_path, content, kind):
    with pytest.raises(SourceError, match=kind):
        read(tmp_path, content)


def test_a_file_without_records_has_none(tmp_path):
    assert read(tmp_path, b"") == []
    assert read(tmp_path, gzip.compress(b"")) == []


def test_what_follows_compressed_data_is_an_error(tmp_path, whole):
    with pytest.raises(SourceError, match="compressed data"):
        read(tmp_path, gzip.compress(whole) + b"junk")
