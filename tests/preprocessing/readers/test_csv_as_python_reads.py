"""CSV logs as Python's csv module reads them, wherever blocks end."""

import csv
import io
from collections import Counter
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.readers import csv as csv_source

CONFIG = FeatureConfig(
    extra=[{"name": "title", "entity": "context", "type": "categorical"}]
)
SOURCE = SourceConfig(format="csv", null_values=[])
HEADER = ["user_id", "title", "video_id", "event_time_ms"]
titles = st.text(st.sampled_from("ab\",\n\r 'é日"), max_size=10) | st.sampled_from(
    ["", '"', '""', "\r\n", "\n\r", ",", '",\n"', "\r", " \t", "a\n\n\nb", "\n" * 30]
)
line_ends = st.sampled_from(["\n", "\r\n", "\r"])


def cell(text, quoted):
    must = any(c in text for c in ',"\r\n')
    return '"' + text.replace('"', '""') + '"' if quoted or must else text


@st.composite
def csv_files(draw):
    """A file and its titles by user: ends of lines mixed, blank lines between."""
    lines, rows = (
        [",".join(HEADER)],
        draw(st.lists(st.tuples(titles, st.booleans()), min_size=1)),
    )
    for i, (title, quoted) in enumerate(rows):
        cells = [f"u{i}", title, "v", "1650000000000"]
        lines.append(",".join(cell(text, quoted) for text in cells))
    ends = [
        draw(line_ends) * draw(st.sampled_from([1, 1, 1, 2])) for _ in range(len(lines))
    ]
    if not draw(st.booleans()):
        ends[-1] = ""
    bom = draw(st.sampled_from(["", "\ufeff"]))
    text = bom + "".join(line + end for line, end in zip(lines, ends, strict=True))
    return text, [title for title, _ in rows]


def as_python_reads(text):
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return [row for row in reader if row][1:]


def build(folder, content, block_bytes, record_bytes=1 << 26):
    (folder / "log.csv").write_bytes(content)
    with (
        mock.patch.object(csv_source, "_BLOCK_BYTES", block_bytes),
        mock.patch.object(csv_source, "_RECORD_BYTES", record_bytes),
    ):
        return compute_feature_table(SOURCE, CONFIG, str(folder))


def titles_of(built):
    rows = built.features.to_pylist()
    return Counter((row["user_id"], row["title"] or "") for row in rows)


@settings(max_examples=30, deadline=None)
@given(file=csv_files(), block_bytes=st.integers(1, 120))
def test_rows_are_those_that_python_reads(tmp_path_factory, file, block_bytes):
    text, written = file
    expected = as_python_reads(text)
    assert [row[1] for row in expected] == written
    built = build(tmp_path_factory.mktemp("log"), text.encode(), block_bytes)
    assert built.summary.by_reason == {}
    assert built.rows_in == len(expected)
    assert titles_of(built) == Counter((row[0], row[1]) for row in expected)


@settings(max_examples=30, deadline=None)
@given(
    text=st.text(st.sampled_from('uv1,,"\n\r'), max_size=120),
    block_bytes=st.integers(1, 60),
)
def test_of_any_text_each_row_is_an_example_or_a_reject(
    tmp_path_factory, text, block_bytes
):
    good = "good,title,v,1650000000000"
    content = "\n".join([",".join(HEADER), good, text]).encode()
    folder = tmp_path_factory.mktemp("log")
    built = build(folder, content, block_bytes)
    assert built.rows_in == built.features.num_rows + built.rejects.num_rows
    whole = build(folder, content, 1 << 20)
    assert built.rows_in == whole.rows_in
    assert built.summary.by_reason == whole.summary.by_reason
    assert titles_of(built) == titles_of(whole)


@pytest.mark.parametrize("shift", range(14))
def test_a_line_end_in_quotes_may_lie_at_any_place_of_a_block(tmp_path, shift):
    rows = [["u" * shift, "x", "v", "1"]]
    rows += [[f"u{i}", "a\r\nb\r\n\r\n", "v", "1650000000000"] for i in range(20)]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([HEADER, *rows])
    built = build(tmp_path, text.getvalue().encode(), 7)
    assert built.rows_in == len(rows)
    assert set(built.features["title"].to_pylist()) <= {"a\r\nb\r\n\r\n", "x"}
