import numpy as np
import pytest

from poso_keras import BucketEncoding
from tests.helpers.layer_checks import run_layer_checks


def codes(num_buckets, encoding, missing=False):
    layer = BucketEncoding(num_buckets, encoding, zero_is_missing=missing)
    return np.array(layer(np.arange(num_buckets))).tolist()


def test_ordered_is_a_line_that_may_bend_in_the_middle():
    # Eight buckets: the middle is 3.5 and a unit of z two buckets.
    z = [-1.75, -1.25, -0.75, -0.25, 0.25, 0.75, 1.25, 1.75]
    expected = [[v, v if v > 0 else 0.0, -v if v < 0 else 0.0] for v in z]
    assert codes(8, "ordered") == expected
    assert codes(8, "numeric") == [[v] for v in z]


def test_thermometer_has_a_degree_for_every_bucket_but_the_first():
    assert codes(4, "thermometer") == [
        [-1, -1, -1],
        [1, -1, -1],
        [1, 1, -1],
        [1, 1, 1],
    ]


def test_one_hot_has_a_column_for_every_bucket():
    assert codes(3, "one_hot") == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("encoding", ["ordered", "thermometer", "numeric"])
def test_a_missing_value_is_all_zeros_and_leaves_the_others_as_they_were(encoding):
    missing, *known = codes(6, encoding, missing=True)
    assert known == codes(5, encoding)
    assert missing == [0.0] * len(known[0])


def test_a_missing_value_has_its_own_column_one_hot():
    assert codes(3, "one_hot", missing=True) == codes(3, "one_hot")


def test_a_unit_of_z_is_a_quarter_of_the_buckets():
    """Of 16 buckets from 1 on z is (bucket - 8.5) / 4."""
    z = np.array(codes(17, "numeric", missing=True))[1:, 0]
    np.testing.assert_allclose(z, (np.arange(1, 17) - 8.5) / 4)


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_buckets_may_be_a_column_and_of_any_type(shape, dtype):
    buckets = np.array([3, 0, 2, 2, 1])
    layer = BucketEncoding(4, "one_hot")
    code = np.array(layer(buckets.reshape(shape).astype(dtype)))
    np.testing.assert_array_equal(code, np.eye(4)[buckets])


@pytest.mark.parametrize(
    ("encoding", "width"),
    [("ordered", 3), ("thermometer", 5), ("numeric", 1), ("one_hot", 7)],
)
def test_layer_contract(encoding, width, tmp_path):
    run_layer_checks(
        BucketEncoding,
        {"num_buckets": 7, "encoding": encoding, "zero_is_missing": True},
        {"buckets": np.array([0, 1, 2, 4, 5, 6])},
        [(6, width)],
        [],
        tmp_path,
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_buckets": 0}, "`num_buckets` must be a positive integer. Received: 0"),
        ({"num_buckets": 1}, "`num_buckets` must be at least 2.* Received: 1"),
        (
            {"num_buckets": 2, "zero_is_missing": True},
            "`num_buckets` must be at least 3.* Received: 2",
        ),
        (
            {"num_buckets": 4, "encoding": "log"},
            "`encoding` must be one of .* Received: 'log'",
        ),
    ],
)
def test_wrong_arguments_are_named(kwargs, message):
    with pytest.raises(ValueError, match=message):
        BucketEncoding(**kwargs)


@pytest.mark.parametrize("shape", [(2, 3), (2, 1, 1), ()])
def test_wrong_shapes_are_named(shape):
    with pytest.raises(ValueError, match=r"`buckets` must be .*Received: "):
        BucketEncoding(4)(np.zeros(shape, "int64"))
