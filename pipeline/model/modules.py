"""The modules of the ranking model, each plain or POSO (paper, Fig. 2 and 3)."""

from __future__ import annotations

from typing import Any

import tf_keras

import poso_keras
from pipeline.config import ModelConfig
from pipeline.config.model import Module


def build_attention(settings: ModelConfig, name: str) -> tf_keras.layers.Layer:
    """An attention over a history, called `name`."""
    options = settings.attention
    if not settings.poso.attention:
        return poso_keras.SequenceAttention(
            options.num_heads, options.key_dim, name=name
        )
    return poso_keras.POSOMultiHeadAttention(
        options.num_heads,
        options.key_dim,
        num_modules=options.num_modules,
        query_mode=options.query_mode,
        key_mode=options.key_mode,
        value_mode=options.value_mode,
        name=name,
        **_gates(settings, "attention"),
    )


def build_mixture(settings: ModelConfig, num_tasks: int) -> tf_keras.layers.Layer:
    """The mixture of experts."""
    sizes: dict[str, Any] = {
        "num_experts": settings.mmoe.num_experts,
        "expert_units": settings.mmoe.expert_units,
        "num_tasks": num_tasks,
        "name": "mmoe",
    }
    if not settings.poso.mmoe:
        return poso_keras.MMoE(**sizes)
    return poso_keras.POSOMMoE(
        expert_gates=settings.poso.experts,
        **sizes,
        **_gates(settings, "mmoe", "experts"),
    )


def build_tower(settings: ModelConfig, name: str) -> tf_keras.layers.Layer:
    """A task's tower, called `name`."""
    sizes: dict[str, Any] = {
        "units": settings.tower_units,
        "dropout": settings.dropout,
        "name": name,
    }
    if not settings.poso.mlp:
        return poso_keras.MLP(**sizes)
    return poso_keras.POSOMLP(**sizes, **_gates(settings, "mlp"))


def _gates(settings: ModelConfig, *modules: Module) -> dict[str, Any]:
    """The arguments of a layer for its gates, which read these modules' codes."""
    gates = settings.gates
    kernel: str = gates.kernel_initializer
    if kernel == "auto":
        codes = {code for module in modules for code in settings.codes_of(module)}
        wide = any(
            code.encoding == "thermometer" or code.input == "all_features"
            for code in codes
        )
        kernel = "glorot_uniform" if wide else "he_normal"
    return {
        "gate_hidden_units": gates.hidden_units,
        "gate_kernel_initializer": kernel,
        "gate_output_initializer": tf_keras.initializers.VarianceScaling(
            gates.output_variance, "fan_in", "untruncated_normal"
        ),
    }
