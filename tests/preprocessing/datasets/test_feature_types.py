import pyarrow as pa
import pytest

from preprocessing.datasets.feature_types import feature_type


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.int64(), "int64"),
        (pa.int32(), "int64"),
        (pa.bool_(), "int64"),
        (pa.float32(), "float32"),
        (pa.float64(), "float32"),
        (pa.string(), "string"),
        (pa.binary(), "string"),
        (pa.dictionary(pa.int32(), pa.string()), "string"),
    ],
)
def test_lists_have_the_type_of_their_values(kind, expected):
    assert feature_type(kind) == expected
    assert feature_type(pa.list_(kind)) == expected
