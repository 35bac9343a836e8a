import bz2
import gzip
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from contextlib import closing

import numpy as np
import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from preprocessing.storage.file_kinds import content_kind, file_kind, seems_to_be

TABLE = pa.table({"user_id": ["a", "b"], "n": [1, 2]})
CSV = b"user_id,video_id\na,b\n"


def parquet(path):
    pq.write_table(TABLE, path)


def orc(path):
    pyarrow.orc.write_table(TABLE, str(path))


def arrow_file(path):
    with pa.ipc.new_file(str(path), TABLE.schema) as writer:
        writer.write_table(TABLE)


def arrow_stream(path):
    with pa.ipc.new_stream(str(path), TABLE.schema) as writer:
        writer.write_table(TABLE)


def sheet(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")


def tar(path):
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("a.csv"), io.BytesIO())


def database(path):
    with closing(sqlite3.connect(path)) as opened:
        opened.execute("create table log (user_id)")


def records(path):
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(tf.train.Example().SerializeToString() or b"\n\0")


def content(data):
    return lambda path: path.write_bytes(data)


FILES = {
    "a Parquet file": parquet,
    "an ORC file": orc,
    "an Arrow (Feather) file": arrow_file,
    "an Arrow stream": arrow_stream,
    "a ZIP archive, as Excel's .xlsx files are": sheet,
    "a tar archive": tar,
    "an SQLite database": database,
    "a TFRecord file": records,
    "gzip data": content(gzip.compress(CSV, mtime=0)),
    "bzip2 data": content(bz2.compress(CSV)),
    "xz data": content(lzma.compress(CSV)),
    "Zstandard data": content(pa.compress(CSV, "zstd", asbytes=True)),
    "a NumPy array": lambda path: np.save(path.open("wb"), np.zeros(3)),
    "a Python pickle": content(pickle.dumps({"a": 1})),
    "JSON": content(json.dumps([{"user_id": "a"}]).encode()),
    "HTML or XML": content(b"<!doctype html><title>403 Forbidden</title>"),
    "a pointer of Git LFS, not the file itself": content(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12\n"
    ),
    "UTF-16 text": content(CSV.decode().encode("utf-16")),
    "zeros, as a copy leaves them that was broken off": content(bytes(900)),
    "empty": content(b""),
    "text": content(CSV),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_called_what_it_is(tmp_path, kind):
    FILES[kind](tmp_path / "file")
    assert file_kind(str(tmp_path / "file")) == kind


@pytest.mark.parametrize(
    ("begin", "kind"),
    [
        (b'{"user_id": "a"}\n{"user_id": "b"}\n', "JSON"),
        (b"\xef\xbb\xbf[\n {\n", "JSON"),
        (b"{}", "JSON"),
        (b"\xef\xbb\xbfuser_id,video_id\n", "text"),
        (CSV.decode().encode("utf-16-le"), "UTF-16 text"),
        (CSV.decode().encode("utf-16-be"), "UTF-16 text"),
        ("用户,视频\n".encode(), "text"),
        ("Straße,Größe\n".encode("latin-1"), "text"),
        # Names of columns that begin as other files do.
        (b"ORCID,PAR1\n", "text"),
        (b"%PDF,BZh9\n", "text"),
        (b"[id],{name}\n", "text"),
        (b"\x00\x01\x02\x03", ""),
    ],
)
def test_text_is_told_from_what_begins_alike(begin, kind):
    assert content_kind(begin) == kind


def test_a_message_says_only_what_is_news(tmp_path):
    place = str(tmp_path / "file")
    parquet(place)
    assert seems_to_be(place) == "; it seems to be a Parquet file"
    assert seems_to_be(place, "a Parquet file") == ""
    (tmp_path / "file").write_bytes(b"")
    assert seems_to_be(place) == "; it is empty"
    assert seems_to_be(str(tmp_path / "none")) == ""
