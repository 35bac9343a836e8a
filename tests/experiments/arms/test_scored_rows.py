import numpy as np
import pytest

from experiments.arms.scored_rows import ScoredRows, read_scored_rows


@pytest.fixture
def rows():
    return ScoredRows(
        user_ids=np.array([b"a", b"bcd", b"a"]),
        new=np.array([True, False, True]),
        labels={
            "like": np.array([1, 0, -1], np.int8),
            "follow": np.array([0, 0, 1], np.int8),
        },
        scores={"like": np.array([0.25, 0.5, 0.75], np.float32)},
    )


def test_what_is_kept_is_read_again(rows, tmp_path):
    file = tmp_path / "folder" / "seed-1.npz"
    rows.write(file)
    found = read_scored_rows(file)
    assert len(found) == 3
    np.testing.assert_array_equal(found.user_ids, rows.user_ids)
    np.testing.assert_array_equal(found.new, rows.new)
    for kept, expected in ((found.labels, rows.labels), (found.scores, rows.scores)):
        assert kept.keys() == expected.keys()
        for task, values in expected.items():
            np.testing.assert_array_equal(kept[task], values)
            assert kept[task].dtype == values.dtype


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 half"])
def test_scores_that_cannot_be_read_are_named(content, tmp_path):
    file = tmp_path / "seed-1.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=r"remove .*seed-1\.json, too"):
        read_scored_rows(file)
