"""Bucket numbers as a personalization code that keeps their order."""

from typing import Any

import numpy as np

from poso_keras._backend import Layer, Shape, Tensor, ops, register
from poso_keras._inputs import check_is_dense, static_shape
from poso_keras._shapes import check_choice, check_positive

ENCODINGS = ("ordered", "thermometer", "numeric", "one_hot")


@register
class BucketEncoding(Layer):
    """Encodes bucket numbers by a fixed rule: each bucket is a row of a table.

    Gates that read an ordered code learn of one bucket from its neighbours; one-hot,
    every bucket learns from its own rows alone. With `first` and `last` the buckets
    at the ends and z = (bucket - (first + last) / 2) / ((last - first + 1) / 4):

    - `"ordered"`: [z, relu(z), relu(-z)], a line that may bend in the middle.
    - `"thermometer"`: for every k after the first, 1 if bucket >= k, else -1.
    - `"numeric"`: [z].
    - `"one_hot"`: for every k, 1 if bucket == k, else 0: for buckets without order.

    Args:
        num_buckets: number of values a bucket takes; they are 0 to `num_buckets` - 1.
        encoding: one of the rules above.
        zero_is_missing: whether 0 stands for a value that is not known. Its code is
            then all zeros, in the middle of the others; one-hot it has its own column.
        **kwargs: `name`, `dtype` and so on, as for every Keras layer.

    Call arguments:
        buckets: [batch] or [batch, 1], whole numbers from 0 to `num_buckets` - 1.

    Returns:
        [batch, width]: 3, `last` - `first`, 1 or `num_buckets` columns.

    Examples:
        >>> import numpy as np
        >>> encode = BucketEncoding(num_buckets=8)
        >>> np.array(encode(np.array([0, 7]))).tolist()
        [[-1.75, 0.0, 1.75], [1.75, 1.75, 0.0]]
    """

    def __init__(
        self,
        num_buckets: int,
        encoding: str = "ordered",
        zero_is_missing: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_buckets = check_positive("num_buckets", num_buckets)
        self.encoding = check_choice("encoding", encoding, ENCODINGS)
        self.zero_is_missing = bool(zero_is_missing)
        fewest = 2 + self.zero_is_missing
        if self.num_buckets < fewest:
            raise ValueError(
                f"`num_buckets` must be at least {fewest}, for there to be two buckets "
                f"to tell apart. Received: {num_buckets}"
            )
        self.table = self._table()

    def _table(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The code of every bucket, [num_buckets, width]."""
        buckets = np.arange(self.num_buckets, dtype="float32")
        if self.encoding == "one_hot":
            return np.eye(self.num_buckets, dtype="float32")
        first = int(self.zero_is_missing)
        if self.encoding == "thermometer":
            steps = np.arange(first + 1, self.num_buckets)
            table = np.where(buckets[:, None] >= steps, 1.0, -1.0)
        else:
            known = self.num_buckets - first
            middle = (first + self.num_buckets - 1) / 2
            z = (buckets - middle) / (known / 4)
            bent = [z, np.maximum(z, 0.0), np.maximum(-z, 0.0)]
            table = np.stack(bent if self.encoding == "ordered" else [z], axis=1)
        table[:first] = 0.0
        return table.astype("float32")

    def build(self, buckets_shape: Shape) -> None:
        """Checks the shape; there are no weights."""
        _check_shape(buckets_shape)
        super().build(buckets_shape)

    def call(self, buckets: Tensor) -> Tensor:
        """Returns the codes [batch, width]."""
        check_is_dense("buckets", buckets)
        shape = static_shape(buckets)
        if shape is not None:
            _check_shape(shape)
        rows = ops.reshape(ops.cast(buckets, "int32"), (-1,))
        return ops.take(ops.cast(self.table, self.compute_dtype), rows, axis=0)

    def compute_output_shape(self, buckets_shape: Shape) -> Shape:
        """Returns [batch, width]."""
        return (buckets_shape[0], int(self.table.shape[1]))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "num_buckets": self.num_buckets,
            "encoding": self.encoding,
            "zero_is_missing": self.zero_is_missing,
        }


def _check_shape(shape: Shape) -> None:
    if len(shape) not in (1, 2) or tuple(shape[1:]) not in ((), (1,)):
        raise ValueError(
            "`buckets` must be [batch] or [batch, 1]. "
            f"Received: buckets.shape={tuple(shape)}"
        )
