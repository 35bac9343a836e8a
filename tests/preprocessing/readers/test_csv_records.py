import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preprocessing.checks.rejects import UNCLOSED
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.readers import csv as csv_source
from preprocessing.readers.csv_records import record_blocks, split_header

CONFIG = FeatureConfig(
    extra=[{"name": "title", "entity": "context", "type": "categorical"}]
)
HEADER = "user_id,video_id,event_time_ms,title"
texts = st.text(st.sampled_from('ab",\n\r;é '), max_size=12)
block_sizes = st.integers(1, 40)


def blocks_of(content, block_bytes, record_bytes=10_000):
    file = io.BytesIO(content)
    _, begin = split_header(file, block_bytes)
    blocks = list(record_blocks(file, begin, block_bytes, record_bytes))
    return [b.content for b in blocks], [line for b in blocks for line in b.given_up]


def rows_of(content):
    return [row for row in csv.reader(io.StringIO(content.decode(), newline="")) if row]


@given(
    rows=st.lists(st.tuples(texts, texts, texts), max_size=12),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    quote_all=st.booleans(),
    block_bytes=block_sizes,
    last_line_ends=st.booleans(),
)
def test_every_block_holds_whole_records(
    rows, line_end, quote_all, block_bytes, last_line_ends
):
    def cell(text):
        quoted = quote_all or any(c in text for c in ',"\r\n')
        return '"' + text.replace('"', '""') + '"' if quoted else text

    text = line_end.join(",".join(map(cell, row)) for row in rows)
    text += line_end if last_line_ends else ""
    contents, given_up = blocks_of(f"a,b,c{line_end}{text}".encode(), block_bytes)
    found = [tuple(row) for content in contents for row in rows_of(content)]
    assert found == [tuple(row) for row in rows]
    assert given_up == []


@given(
    text=st.text(st.sampled_from('ab",\n\r'), max_size=60),
    block_bytes=block_sizes,
)
def test_blocks_make_no_difference_whatever_the_file_holds(text, block_bytes):
    content = b"header\n" + text.encode()
    contents, given_up = blocks_of(content, block_bytes)
    whole, whole_given_up = blocks_of(content, 1000)
    assert b"".join(contents) == b"".join(whole)
    assert given_up == whole_given_up


@pytest.mark.parametrize("block_bytes", [1, 7, 1000])
@pytest.mark.parametrize(
    ("text", "kept", "given_up"),
    [
        ('1,"2\n3,4\n5,6\n', "3,4\n5,6\n", ['1,"2']),
        ('1,"2\n3,"4"\n5,6\n', '3,"4"\n5,6\n', ['1,"2']),
        ('1,"2\n3,"4\n5,"6"\n', '5,"6"\n', ['1,"2', '3,"4']),
        ('1,"2\n3,""\n5,"x\r\ny"\n', '3,""\n5,"x\r\ny"\n', ['1,"2']),
        ('1,"2', "", ['1,"2']),
        ('"a\nb","c\nd,"e"\n', 'd,"e"\n', ['"a\nb","c']),
        ('1,2" disc\n3,"x"y\n', '1,2" disc\n3,"x"y\n', []),
        ('1,"say ""hi""\n"\n', '1,"say ""hi""\n"\n', []),
    ],
)
def test_a_quote_that_is_not_closed_costs_its_line(text, kept, given_up, block_bytes):
    contents, found = blocks_of(b"h\n" + text.encode(), block_bytes)
    assert b"".join(contents).decode() == kept
    assert [line.decode() for line in found] == given_up


@pytest.mark.parametrize("block_bytes", [1, 16, 64])
def test_a_record_longer_than_allowed_costs_its_line(block_bytes):
    long = b"x" * 300
    contents, given_up = blocks_of(
        b"h\n1,2\n" + long + b'\n3,4\n5,"' + b"a\n" * 100 + b"6,7\n", block_bytes, 100
    )
    assert b"".join(contents).startswith(b"1,2\n3,4\n")
    assert b"".join(contents).endswith(b"a\n6,7\n")
    assert len(given_up) == 2
    assert given_up[0].startswith(b"xxx")
    assert given_up[1] == b'5,"a'


def test_memory_stays_bounded_without_line_ends():
    class Endless(io.RawIOBase):
        left = 1000

        def read(self, size=-1):
            self.left -= 1
            return b"x" * size if self.left > 0 else b""

    blocks = record_blocks(Endless(), b"", 100, 500)
    assert all(
        len(b.content) + sum(map(len, b.given_up)) <= 700 for b in blocks if b.given_up
    )


@pytest.mark.parametrize("block_bytes", [8, 100, 1 << 24])
def test_a_log_gives_the_same_rows_whatever_the_block(
    tmp_path, monkeypatch, block_bytes
):
    monkeypatch.setattr(csv_source, "_BLOCK_BYTES", block_bytes)
    lines = [f'a,x,{i},"one\r\ntwo, ""three""\n"' for i in range(30)]
    text = "\r\n".join([HEADER, *lines, 'b,x,1,"open', "c,x,1,z"])
    (tmp_path / "log.csv").write_bytes(text.encode())
    built = compute_feature_table(SourceConfig(format="csv"), CONFIG, str(tmp_path))
    assert built.rows_in == 32
    assert built.summary.by_reason == {UNCLOSED: 1}
    titles = built.features["title"].to_pylist()
    assert sorted(set(titles)) == ['one\r\ntwo, "three"\n', "z"]


def test_a_line_of_another_length_may_hold_any_bytes(tmp_path):
    content = f"{HEADER}\na,x,1,t\na,x\xff\na,x,2,\xe9\n".encode("latin-1")
    (tmp_path / "log.csv").write_bytes(content)
    built = compute_feature_table(SourceConfig(format="csv"), CONFIG, str(tmp_path))
    assert built.rows_in == 3
    assert built.features.num_rows == 1
