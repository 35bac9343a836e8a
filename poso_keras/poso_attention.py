"""Personalized multi-head attention over a sequence, POSO (MHA)."""

import math
from typing import Any

from poso_keras._attention import SingleQueryAttention, shape_of
from poso_keras._backend import Shape, Tensor, build_child, ops, register
from poso_keras._gate_options import GateOptions
from poso_keras._inputs import cast_input
from poso_keras._shapes import (
    broadcast_batch,
    check_choice,
    check_positive,
    check_same_batch,
    check_scale,
    codes_given,
    last_dim,
)
from poso_keras.personalization_gate import PersonalizationGate

MODES = ("shared", "gated", "full")

# Modules that share one value projection see almost the same sum at initialisation.
# Starting them this close makes it so exactly enough for `scale` to be 2/N.
_MAP_CORRELATION = 0.98


@register
class POSOMultiHeadAttention(SingleQueryAttention):
    """Multi-head attention whose Q, K and V are personalized, each by its own mode.

    A tensor is `"shared"` (one copy, not personalized), `"gated"` (one copy, masked
    element-wise by a gate) or `"full"` (`num_modules` copies). Table 7 of the paper
    is this grid; the default is the standard POSO (MHA). All three `"shared"` is the
    plain `SequenceAttention` and refused.

    Formula of the default, for each head h (Eq. 14):
    `y_h = C softmax(Q_h (G(pc)_h ⊙ K_h)^T / sqrt(key_dim)) sum_i g(pc)_i V_i,h`.
    Each copy of Q or K makes an attention map of its own, and the modules are summed
    after the softmax (Eq. 13). Heads are concatenated; no output projection. An
    empty sequence gives zeros.

    Args:
        num_heads: number of heads.
        key_dim: width of each head.
        num_modules: N, the copies of a `"full"` tensor.
        query_mode: how Q is personalized.
        key_mode: how K is personalized.
        value_mode: how V is personalized.
        scale: the factor C of the sum over modules. "auto" keeps the second moment
            of the output at that of `SequenceAttention` at initialisation:
            2 / sqrt(N) for N independent value projections, 2 / N for N attention
            maps over a single one. Element-wise gates always have 2 and start
            about 1.
        gate_hidden_units: hidden width of the gates, see `PersonalizationGate`.
        gate_kernel_initializer: initialiser of W1 of each gate.
        gate_output_initializer: initialiser of W2 of each gate.
        kernel_initializer: initialiser of each copy of W_Q, W_K and W_V.
        kernel_regularizer: regulariser of each kernel [copies, input_dim, num_heads *
            key_dim].
        kernel_constraint: constraint on each such kernel.
        **kwargs: `name`, `dtype` and so on, as for every Keras layer.

    Call arguments:
        query: [batch, query_dim].
        value: [batch, seq, value_dim], or [1, seq, value_dim] for one user. `seq`
            may be 0. On TensorFlow also a RaggedTensor.
        personalization_code: [batch, code_dim], or [1, code_dim] for one user.
        attention_mask: [batch, seq] or [1, seq], true (or 1) where `value` is valid,
            false (or 0) elsewhere; also with axes of size 1 in between, as
            `keras.layers.MultiHeadAttention` takes it for a single query: [batch, 1,
            seq]. There is no mask per head. What a step that is not valid holds does
            not matter, not even if it is NaN.
        value_mask: the same; filled in by Keras where `value` carries a mask, as
            after `Embedding(mask_zero=True)`. Only steps that both masks leave count.
        shared_query: [1, shared_dim], or None: leading columns of the query that are
            the same in every row, such as the user's; computed with once.
        code_rows: [batch], or None: which row of the code is that of each example, see
            `PersonalizationGate`.

    Returns:
        [batch, num_heads * key_dim].

    Examples:
        >>> import numpy as np
        >>> layer = POSOMultiHeadAttention(num_heads=2, key_dim=8)
        >>> query, value = np.ones((4, 5), "float32"), np.ones((4, 7, 6), "float32")
        >>> code = np.ones((4, 3), "float32")
        >>> tuple(layer(query, value, code, attention_mask=np.ones((4, 7))).shape)
        (4, 16)
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        num_modules: int = 4,
        query_mode: str = "shared",
        key_mode: str = "gated",
        value_mode: str = "full",
        scale: float | str = "auto",
        gate_hidden_units: int | None = None,
        gate_kernel_initializer: Any = "glorot_uniform",
        gate_output_initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_heads, key_dim, **kwargs)
        self.num_modules = check_positive("num_modules", num_modules)
        self.query_mode = check_choice("query_mode", query_mode, MODES)
        self.key_mode = check_choice("key_mode", key_mode, MODES)
        self.value_mode = check_choice("value_mode", value_mode, MODES)
        self.scale = check_scale(scale)
        self._check_modes()
        self.gate_options = GateOptions(
            gate_hidden_units, gate_kernel_initializer, gate_output_initializer
        )
        self.query_gate = self._make_gate("query_gate", query_mode == "gated")
        self.key_gate = self._make_gate("key_gate", key_mode == "gated")
        self.value_gate = self._make_gate("value_gate", value_mode == "gated")
        self.module_gate = self._make_gate(
            "module_gate",
            "full" in self._modes,
            self.num_modules,
            self._module_scale(),
        )

    @property
    def _modes(self) -> tuple[str, str, str]:
        return self.query_mode, self.key_mode, self.value_mode

    def _check_modes(self) -> None:
        if set(self._modes) == {"shared"}:
            raise ValueError(
                "`query_mode`, `key_mode` and `value_mode` must not all be 'shared': "
                "nothing would be personalized. Use `SequenceAttention` for the plain "
                f"module. Received: {self._modes}"
            )
        if self.scale != "auto" and "full" not in self._modes:
            raise ValueError(
                "`scale` is the factor of the sum over modules, so it needs a mode "
                f"that is 'full'. Received: scale={self.scale} with modes {self._modes}"
            )

    def _module_scale(self) -> float:
        if self.scale != "auto":
            return float(self.scale)
        if self.value_mode == "full":
            return 2.0 / math.sqrt(self.num_modules)
        return 2.0 / self.num_modules

    def _make_gate(
        self, name: str, wanted: bool, units: int | None = None, scale: float = 2.0
    ) -> PersonalizationGate | None:
        if not wanted:
            return None
        index = ("query_gate", "key_gate", "value_gate", "module_gate").index(name)
        return self.gate_options.make(
            name, units or self.output_dim, scale, self.dtype_policy, index
        )

    def build(
        self,
        query_shape: Shape,
        value_shape: Shape | None = None,
        personalization_code_shape: Shape | None = None,
        shared_query_shape: Shape | None = None,
        code_rows_shape: Shape | None = None,
    ) -> None:
        """Creates the weights for a query [batch, dim], value [batch, seq, dim]."""
        code_width = last_dim("personalization_code", personalization_code_shape, 2)
        codes = codes_given(personalization_code_shape, code_rows_shape)
        check_same_batch(query=query_shape, value=value_shape, **codes)
        query, key, value = (
            self.num_modules if mode == "full" else 1 for mode in self._modes
        )
        self.build_kernels(
            query_shape,
            value_shape,
            shared_query_shape,
            counts=(query, key, value),
            correlation=0.0 if self.value_mode == "full" else _MAP_CORRELATION,
        )
        for gate in (self.query_gate, self.key_gate, self.value_gate, self.module_gate):
            if gate is not None:
                build_child(gate, (None, code_width))
        super().build(query_shape)

    def call(
        self,
        query: Tensor,
        value: Tensor,
        personalization_code: Tensor,
        attention_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        shared_query: Tensor | None = None,
        code_rows: Tensor | None = None,
    ) -> Tensor:
        """Returns [batch, num_heads * key_dim]."""
        code = cast_input(
            "personalization_code", personalization_code, self.compute_dtype, rank=2
        )
        projected = self.project_query(query, shared_query)
        value, valid = self.read_sequence(
            value,
            attention_mask,
            value_mask,
            query=query,
            **codes_given(code, code_rows),
        )
        # Q (G ⊙ K)^T = (Q ⊙ G) K^T: both gates can mask the query.
        if self.query_gate is not None:
            projected = projected * self.query_gate(code, code_rows)
        if self.key_gate is not None:
            projected = projected * self.key_gate(code, code_rows)
        gates = None
        if self.module_gate is not None:
            gates = self.module_gate(code, code_rows)
        shapes = value.shape, shape_of(valid), shape_of(gates)
        if self.attends_one(shared_query, *shapes):
            outputs = self.attend_one(projected, value, valid, gates)
        else:
            outputs = self._attend_each(projected, value, valid, gates)
        if self.value_gate is not None:
            outputs = outputs * self.value_gate(code, code_rows)
        return outputs

    def _attend_each(
        self, query: Tensor, value: Tensor, valid: Tensor | None, gates: Tensor | None
    ) -> Tensor:
        pooled = self.pool(query, value, valid)
        if gates is not None and self.value_mode != "full":
            # Modules that share a value projection are summed before it.
            pooled = _sum_over_modules(pooled, gates)
            gates = None
        return self.project_pooled(pooled, gates)

    def compute_output_shape(
        self,
        query_shape: Shape,
        value_shape: Shape | None = None,
        personalization_code_shape: Shape | None = None,
        shared_query_shape: Shape | None = None,
        code_rows_shape: Shape | None = None,
    ) -> Shape:
        """Returns [batch, num_heads * key_dim]."""
        codes = codes_given(personalization_code_shape, code_rows_shape)
        batch = broadcast_batch(query_shape, value_shape, *codes.values())
        return (batch, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {
            **super().get_config(),
            "num_modules": self.num_modules,
            "query_mode": self.query_mode,
            "key_mode": self.key_mode,
            "value_mode": self.value_mode,
            "scale": self.scale,
            **self.gate_options.get_config(),
        }


def _sum_over_modules(pooled: Tensor, gates: Tensor) -> Tensor:
    """[modules, heads, batch, dim] weighed by [batch, modules] -> [1, heads, ...]."""
    gates = ops.reshape(ops.transpose(gates, (1, 0)), (pooled.shape[0], 1, -1, 1))
    return ops.sum(pooled * gates, axis=0, keepdims=True)
