"""MMoE as it is usually written: a Python loop over Keras Dense layers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras

import poso_keras


class ExpertLoop(tf_keras.layers.Layer):
    """One stack of Dense layers an expert, one softmax Dense layer a task.

    Args:
        stacked: a built `MMoE` or `POSOMMoE` of the same sizes.
    """

    def __init__(self, stacked: Any) -> None:
        super().__init__()
        count = stacked.num_experts
        self.experts = [
            [tf_keras.layers.Dense(units, "relu") for units in stacked.expert_units]
            for _ in range(count)
        ]
        self.task_gates = [
            tf_keras.layers.Dense(count, "softmax", use_bias=False)
            for _ in range(stacked.num_tasks)
        ]
        self.expert_gate = None
        if isinstance(stacked, poso_keras.POSOMMoE):
            self.expert_gate = poso_keras.PersonalizationGate.from_config(
                stacked.gate.get_config()
            )

    def call(self, inputs: tf.Tensor, code: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Returns a tensor [batch, units] a task."""
        outputs = []
        for layers in self.experts:
            x = inputs
            for layer in layers:
                x = layer(x)
            outputs.append(x)
        experts = tf.stack(outputs, axis=1)
        if self.expert_gate is not None:
            experts *= self.expert_gate(code)[:, :, None]
        weights = (gate(inputs)[:, None] for gate in self.task_gates)
        return tuple(tf.squeeze(tf.matmul(w, experts), 1) for w in weights)

    def copy_weights(self, stacked: Any) -> None:
        """Takes over the weights of the stacked layer; call this one once before."""
        for index, layers in enumerate(self.experts):
            stacks = zip(stacked.expert_kernels, stacked.expert_biases, strict=True)
            for layer, (kernel, bias) in zip(layers, stacks, strict=True):
                layer.set_weights([kernel[index].numpy(), bias[index, 0].numpy()])
        for gate, kernel in zip(self.task_gates, stacked.task_kernel, strict=True):
            gate.set_weights([kernel.numpy()])
        if self.expert_gate is not None:
            self.expert_gate.set_weights(stacked.gate.get_weights())
