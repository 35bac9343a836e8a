import bz2
import gzip
import lzma

import pyarrow as pa
import pytest

from preprocessing.storage.decompression import open_decompressed

TEXT = b"user_id,video_id\n" + b"a,x\n" * 50_000
COMPRESS = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda text: pa.compress(text, "zstd", asbytes=True),
}


def read(path, compression="auto"):
    with open_decompressed(str(path), compression) as file:
        return b"".join(iter(lambda: file.read(1000), b""))


@pytest.mark.parametrize("kind", COMPRESS)
def test_content_tells_the_compression(tmp_path, kind):
    path = tmp_path / "log.csv"
    path.write_bytes(COMPRESS[kind](TEXT))
    assert read(path) == read(path, kind) == TEXT
    assert read(path, "none") == path.read_bytes()


@pytest.mark.parametrize("text", [b"", b"BZh is a name\n", b"user_id\n", b"\x1f"])
def test_other_content_is_read_as_it_is(tmp_path, text):
    (tmp_path / "log.csv").write_bytes(text)
    assert read(tmp_path / "log.csv") == text


@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz"])
def test_parts_that_were_put_together_are_read_to_the_end(tmp_path, kind):
    path = tmp_path / "log.csv"
    path.write_bytes(COMPRESS[kind](TEXT) + COMPRESS[kind](b"end"))
    assert read(path) == TEXT + b"end"


@pytest.mark.parametrize("kind", COMPRESS)
def test_a_file_that_is_cut_short_is_an_error(tmp_path, kind):
    path = tmp_path / "log.csv"
    content = COMPRESS[kind](bytes(range(256)) * 999 + TEXT)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(OSError, match=f"its {kind} data is cut short or damaged"):
        read(path)


@pytest.mark.parametrize("kind", ["gzip", "bz2", "xz"])
def test_a_file_that_is_damaged_is_an_error(tmp_path, kind):
    import random

    path = tmp_path / "log.csv"
    content = bytearray(COMPRESS[kind](random.Random(3).randbytes(200_000)))
    content[1000:1010] = b"\xff" * 10
    path.write_bytes(bytes(content))
    with pytest.raises(OSError, match=f"its {kind} data is cut short or damaged"):
        read(path, kind)
