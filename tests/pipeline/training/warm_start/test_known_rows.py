import numpy as np
import pyarrow as pa
import pytest

from pipeline.training.warm_start.known_rows import with_known_rows


def table(tokens, buckets, start):
    rows = 1 + len(tokens) + buckets
    return np.arange(start, start + 2 * rows, dtype=np.float32).reshape(rows, 2)


@pytest.mark.parametrize(
    ("tokens", "earlier", "buckets", "earlier_buckets"),
    [
        ("abc", "abc", 1, 1),
        ("cabd", "abc", 2, 2),
        ("c", "abc", 1, 1),
        ("xyz", "abc", 1, 1),
        ("ab", "ba", 3, 1),
        ("ab", "", 1, 1),
        ("", "ab", 1, 1),
    ],
)
def test_each_row_is_the_ids_own_or_fresh(tokens, earlier, buckets, earlier_buckets):
    fresh = table(tokens, buckets, 1000)
    trained = table(earlier, earlier_buckets, 0)
    before = fresh.copy()
    rows, known = with_known_rows(
        fresh,
        trained,
        pa.array([t.encode() for t in tokens], pa.binary()),
        pa.array([t.encode() for t in earlier], pa.binary()),
    )
    expected = [trained[0]]
    for place, token in enumerate(tokens, start=1):
        known_before = token in earlier
        row = trained[1 + earlier.index(token)] if known_before else fresh[place]
        expected.append(row)
    same = buckets == earlier_buckets
    expected += list((trained if same else fresh)[-buckets:])
    np.testing.assert_array_equal(rows, expected)
    assert known == len(set(tokens) & set(earlier))
    np.testing.assert_array_equal(fresh, before)
