"""Single-query attention in its cheap order: nothing is projected along the sequence.

With one query per sample, `q (X W_K)^T = (q W_K^T) X^T` and `a (X W_V) = (a X) W_V`:
the query is projected into the input space once, the sequence is pooled there, and
only the pooled vectors are projected. Exact, and about ten times fewer operations.

Tensors between the steps are laid out [modules, heads, batch, dim], so that each
step is one matrix product and size-1 axes (one shared module, one user) broadcast.
"""

import math
from typing import Any

import numpy as np

from poso_keras._backend import (
    Layer,
    Shape,
    Tensor,
    matmul_transposed,
    ops,
)
from poso_keras._inputs import cast_input, check_batches, is_ragged
from poso_keras._masks import as_mask, padded, without_invalid
from poso_keras._shapes import check_positive, check_same_batch, last_dim
from poso_keras._shared_columns import cast_with_shared, joined_shape, multiply
from poso_keras._weights import WeightOptions

# Below every valid score; the softmax is computed in float32 at least.
_MASKED_SCORE = float(np.finfo(np.float32).min)


class SingleQueryAttention(Layer):
    """Holds the sizes and kernels of an attention, and its three steps."""

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        kernel_initializer: Any = "glorot_uniform",
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = check_positive("num_heads", num_heads)
        self.key_dim = check_positive("key_dim", key_dim)
        self.kernel_options = WeightOptions(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )

    @property
    def output_dim(self) -> int:
        """Width of the output, all heads together."""
        return self.num_heads * self.key_dim

    def build_kernels(
        self,
        query_shape: Shape,
        value_shape: Shape | None,
        shared_query_shape: Shape | None = None,
        counts: tuple[int, int, int] = (1, 1, 1),
        correlation: float = 0.0,
    ) -> None:
        """Creates the kernels of Q, K and V, each [count, input_dim, heads * key_dim].

        Args:
            query_shape: [batch, query_dim].
            value_shape: [batch, seq, value_dim].
            shared_query_shape: [1, shared_dim], or None.
            counts: number of modules in Q, K and V.
            correlation: between the kernels of different modules.
        """
        _, query_dim = joined_shape("query", query_shape, shared_query_shape)
        value_dim = last_dim("value", value_shape, rank=3)
        check_same_batch(query=query_shape, value=value_shape)

        def add_kernel(name: str, count: int, dim: int, seeds_used: int) -> Tensor:
            shape = (count, dim, self.output_dim)
            return self.kernel_options.add_kernel(
                self, name, shape, seeds_used, correlation
            )

        query, key, value = counts
        self.query_kernel = add_kernel("query_kernel", query, query_dim, 0)
        self.key_kernel = add_kernel("key_kernel", key, value_dim, query + 1)
        self.value_kernel = add_kernel(
            "value_kernel", value, value_dim, query + key + 2
        )

    def compute_mask(self, query: Any, mask: Any = None) -> None:
        """Returns None: the output has no steps that could be masked."""
        return None  # noqa: RET501  (AutoGraph fails on a body of a docstring alone)

    def split_heads(self, x: Tensor) -> Tensor:
        """[modules, rows, heads * key_dim] -> [modules, heads, rows, key_dim]."""
        modules = x.shape[0]
        x = ops.reshape(x, (modules, -1, self.num_heads, self.key_dim))
        return ops.transpose(x, (0, 2, 1, 3))

    def project_query(self, query: Tensor, shared: Tensor | None = None) -> Tensor:
        """[batch, dim], [1, shared_dim] -> [modules, batch, heads * key_dim]."""
        dtype = self.compute_dtype
        given = cast_with_shared("query", query, shared, dtype, self.query_kernel)
        return multiply(given[0], self.query_kernel, given[1])

    def read_sequence(
        self,
        value: Any,
        attention_mask: Any,
        value_mask: Any,
        **others: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        """Returns a sequence in the type of the computation, and its valid steps.

        Args:
            value: [batch or 1, seq, value_dim]; or rows of lengths of their own, as
                TensorFlow's RaggedTensor.
            attention_mask: see `as_mask`, or None.
            value_mask: the same.
            **others: arguments, by name, that have the batch too, or one row.

        Returns:
            [batch or 1, seq, value_dim], zero where a step is not valid; and the steps
            that no mask rules out, [batch or 1, seq], or None for all.
        """
        masks = {"attention_mask": attention_mask, "value_mask": value_mask}
        valid = None
        if is_ragged(value):
            value, valid = padded(value)
        dim = self.key_kernel.shape[1]
        value = cast_input("value", value, self.compute_dtype, dim, rank=3)
        check_batches(value=value, **others)
        for name, mask in masks.items():
            if mask is not None:
                steps = as_mask(name, mask, value, *others.values())
                valid = steps if valid is None else ops.logical_and(valid, steps)
        return without_invalid(value, valid), valid

    def attends_one(self, shared_query: Any, *shapes: Shape | None) -> bool:
        """Whether the rows are one user's and one map per head is made (`attend_one`).

        Args:
            shared_query: anything but None says that there may be many rows to one
                sequence; for one row to one sequence the other order is cheaper.
            *shapes: those of the sequence, its mask and the gates; None for a missing.
        """
        if shared_query is None or self.num_maps != 1:
            return False
        # A size that an export leaves open is None or a symbol, which is no int.
        sizes = [shape[0] for shape in shapes if shape is not None]
        return all(isinstance(size, int) and size == 1 for size in sizes)

    def attend_one(
        self,
        query: Tensor,
        value: Tensor,
        mask: Tensor | None,
        gates: Tensor | None = None,
    ) -> Tensor:
        """Attends to the one sequence that all queries share, by a single map per head.

        Here projecting along the sequence is cheap: it is done once, not once a query.

        Args:
            query: [1, batch, heads * key_dim].
            value: [1, seq, value_dim].
            mask: [1, seq] of booleans, or None.
            gates: [1, modules], weights of the value's projections, or None for one.

        Returns:
            [batch, heads * key_dim]; zero if no step is valid.
        """
        keys = self._by_head(ops.matmul(value[0], self.key_kernel[0]))
        scores = matmul_transposed(query[0] / math.sqrt(self.key_dim), keys)
        scores = ops.reshape(scores, (-1, self.num_heads, value.shape[1]))
        weights = self.attention_weights(scores, mask)
        weights = ops.reshape(weights, (-1, keys.shape[0]))
        return ops.matmul(weights, self._by_head(self._project_one(value[0], gates)))

    def _by_head(self, x: Tensor) -> Tensor:
        """[seq, heads * key_dim] -> [heads * seq, heads * key_dim].

        The rows of a head are zero in the columns of the others, so that one product
        does all heads: more arithmetic than a product per head, but no transposed
        copies of what has a row per query, which take longer.
        """
        own = np.repeat(np.eye(self.num_heads), self.key_dim, axis=1)[:, None, :]
        x = x * ops.cast(own, self.compute_dtype)
        return ops.reshape(x, (self.num_heads * x.shape[1], self.output_dim))

    def _project_one(self, value: Tensor, gates: Tensor | None) -> Tensor:
        """[seq, value_dim] -> [seq, heads * key_dim], summed over the modules."""
        modules, dim, width = self.value_kernel.shape
        if gates is None:
            return ops.matmul(value, self.value_kernel[0])
        kernels = ops.reshape(self.value_kernel, (modules, dim * width))
        return ops.matmul(value, ops.reshape(ops.matmul(gates, kernels), (dim, width)))

    def pool(self, query: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
        """Pools the sequence once for each module and head.

        Args:
            query: [modules, batch, heads * key_dim].
            value: [batch, seq, value_dim].
            mask: [batch, seq], or None.

        Returns:
            [modules, heads, batch, value_dim]; zero where nothing is valid.
        """
        query = self.split_heads(query / math.sqrt(self.key_dim))
        query = matmul_transposed(query, self.split_heads(self.key_kernel))
        modules, dim = query.shape[0], query.shape[-1]
        maps = modules * self.num_heads
        query = ops.reshape(ops.transpose(query, (2, 0, 1, 3)), (-1, maps, dim))
        scores = matmul_transposed(query, value)
        pooled = ops.matmul(self.attention_weights(scores, mask), value)
        pooled = ops.reshape(pooled, (-1, modules, self.num_heads, dim))
        return ops.transpose(pooled, (1, 2, 0, 3))

    def attention_weights(self, scores: Tensor, mask: Tensor | None) -> Tensor:
        """Softmax over the valid part of each sequence, all zero if it is empty.

        Args:
            scores: [batch, maps, seq].
            mask: [batch, seq], or None.
        """
        half = self.compute_dtype in ("float16", "bfloat16")
        scores = ops.cast(scores, "float32" if half else self.compute_dtype)
        if mask is None:
            return ops.cast(ops.softmax(scores, axis=-1), self.compute_dtype)
        valid = ops.expand_dims(ops.cast(mask, "bool"), 1)
        weights = ops.softmax(ops.where(valid, scores, _MASKED_SCORE), axis=-1)
        weights = ops.cast(weights, self.compute_dtype)
        return weights * ops.cast(valid, self.compute_dtype)

    def project_pooled(self, pooled: Tensor, gates: Tensor | None = None) -> Tensor:
        """Projects what each module and head pooled, and sums over the modules.

        Args:
            pooled: [modules, heads, batch, value_dim].
            gates: [batch, modules], weights of the sum, or None for a single module.

        Returns:
            [batch, heads * key_dim].
        """
        kernels = self.split_heads(self.value_kernel)
        if pooled.shape[0] == 1:
            outputs = self._project_for_all_modules(pooled[0], kernels)
        else:
            outputs = ops.matmul(pooled, kernels)
            outputs = ops.transpose(outputs, (1, 2, 0, 3))
        if gates is not None:
            outputs = outputs * ops.expand_dims(gates, -1)
        outputs = ops.transpose(ops.sum(outputs, axis=2), (1, 0, 2))
        return ops.reshape(outputs, (-1, self.output_dim))

    def _project_for_all_modules(self, pooled: Tensor, kernels: Tensor) -> Tensor:
        """[heads, batch, value_dim] -> [heads, batch, modules, key_dim]."""
        modules, heads, value_dim, key_dim = kernels.shape
        kernels = ops.transpose(kernels, (1, 2, 0, 3))
        kernels = ops.reshape(kernels, (heads, value_dim, modules * key_dim))
        outputs = ops.matmul(pooled, kernels)
        return ops.reshape(outputs, (heads, -1, modules, key_dim))

    @property
    def num_maps(self) -> int:
        """Attention maps per head: copies of Q or of K."""
        return max(int(self.query_kernel.shape[0]), int(self.key_kernel.shape[0]))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            **self.kernel_options.get_config(),
        }


def shape_of(tensor: Tensor | None) -> Shape | None:
    """Returns the static shape of a tensor that may be missing."""
    return None if tensor is None else tuple(tensor.shape)
