"""Plain attention over a sequence: the baseline of `POSOMultiHeadAttention`."""

from poso_keras._attention import SingleQueryAttention, shape_of
from poso_keras._backend import Shape, Tensor, register
from poso_keras._shapes import broadcast_batch


@register
class SequenceAttention(SingleQueryAttention):
    """Multi-head attention of one query per sample over its sequence.

    Formula, for each head h: `y_h = softmax(Q_h K_h^T / sqrt(key_dim)) V_h` with
    `Q = W_Q query`, `K = W_K value`, `V = W_V value` (Eq. 12); heads concatenated,
    no output projection. An empty sequence gives zeros.

    Args:
        num_heads: number of heads.
        key_dim: width of each head.
        kernel_initializer: initialiser of W_Q, W_K and W_V.
        kernel_regularizer: regulariser of each kernel [1, input_dim, num_heads *
            key_dim].
        kernel_constraint: constraint on each such kernel.
        **kwargs: `name`, `dtype` and so on, as for every Keras layer.

    Call arguments:
        query: [batch, query_dim].
        value: [batch, seq, value_dim], or [1, seq, value_dim] for one user. `seq`
            may be 0. On TensorFlow also a RaggedTensor.
        personalization_code: not used; accepted so that the twins can be swapped.
        attention_mask: [batch, seq] or [1, seq], true (or 1) where `value` is valid,
            false (or 0) elsewhere; also with axes of size 1 in between, as
            `keras.layers.MultiHeadAttention` takes it for a single query: [batch, 1,
            seq]. There is no mask per head. What a step that is not valid holds does
            not matter, not even if it is NaN.
        value_mask: the same; filled in by Keras where `value` carries a mask, as
            after `Embedding(mask_zero=True)`. Only steps that both masks leave count.
        shared_query: [1, shared_dim], or None: leading columns of the query that are
            the same in every row, such as the user's; computed with once.

    Returns:
        [batch, num_heads * key_dim].

    Examples:
        >>> import numpy as np
        >>> layer = SequenceAttention(num_heads=2, key_dim=8)
        >>> query, value = np.ones((4, 5), "float32"), np.ones((4, 7, 6), "float32")
        >>> tuple(layer(query, value).shape)
        (4, 16)
    """

    def build(
        self,
        query_shape: Shape,
        value_shape: Shape | None = None,
        shared_query_shape: Shape | None = None,
    ) -> None:
        """Creates the weights for a query [batch, dim] and value [batch, seq, dim]."""
        self.build_kernels(query_shape, value_shape, shared_query_shape)
        super().build(query_shape)

    def call(
        self,
        query: Tensor,
        value: Tensor,
        personalization_code: Tensor | None = None,
        attention_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        shared_query: Tensor | None = None,
    ) -> Tensor:
        """Returns [batch, num_heads * key_dim]."""
        projected = self.project_query(query, shared_query)
        value, valid = self.read_sequence(
            value, attention_mask, value_mask, query=query
        )
        if self.attends_one(shared_query, value.shape, shape_of(valid)):
            return self.attend_one(projected, value, valid)
        return self.project_pooled(self.pool(projected, value, valid))

    def compute_output_shape(
        self,
        query_shape: Shape,
        value_shape: Shape | None = None,
        personalization_code_shape: Shape | None = None,
        shared_query_shape: Shape | None = None,
    ) -> Shape:
        """Returns [batch, num_heads * key_dim]."""
        return (broadcast_batch(query_shape, value_shape), self.output_dim)
