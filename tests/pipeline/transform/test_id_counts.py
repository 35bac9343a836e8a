from collections import Counter

import pytest
import tensorflow as tf

from pipeline.transform import id_counts
from pipeline.transform.id_counts import count_ids
from tests.helpers.small_transform import analyzed_rows, raw_spec

COLUMNS = ("user_id", "author_id", "video_tags", "topics")


def slow_counts(rows, name):
    counts = Counter()
    for row in rows:
        value = row.get(name)
        values = value if isinstance(value, list) else [value]
        counts.update(v.encode() for v in values if v is not None)
    return counts


@pytest.mark.parametrize("batch", [1, 7, 8192])
def test_values_are_counted_over_all_rows(small_transform, monkeypatch, batch):
    monkeypatch.setattr(id_counts, "_BATCH", batch)
    spec = raw_spec(small_transform.config)
    counts = count_ids(small_transform.split_dir, COLUMNS, spec)
    rows = analyzed_rows()
    assert counts == {name: slow_counts(rows, name) for name in COLUMNS}
    assert counts["author_id"][b"a0"] > counts["author_id"][b"a2"] > 0


def test_no_other_column_is_parsed(small_transform, monkeypatch):
    parsed = []
    parse = tf.io.parse_example

    def recorded(serialized, spec):
        parsed.append(set(spec))
        return parse(serialized, spec)

    monkeypatch.setattr(tf.io, "parse_example", recorded)
    spec = raw_spec(small_transform.config)
    count_ids(small_transform.split_dir, ["user_id"], spec)
    assert parsed == [{"user_id"}]


def test_without_columns_nothing_is_read(tmp_path):
    assert count_ids(str(tmp_path), (), {}) == {}
