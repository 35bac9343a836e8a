"""How training is distributed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.section import Positive, Section


class StrategyConfig(Section):
    """How training is distributed; `pipeline.training.strategies` builds it."""

    kind: Literal[
        "none", "mirrored", "multi_worker_mirrored", "tpu", "parameter_server"
    ] = "none"
    replicas: Positive | None = Field(
        None,
        description="mirrored: devices to use, by default all; on a machine without "
        "a GPU the CPU is split into that many logical devices.",
    )
    tpu: str = Field("", description="tpu: name or address; empty finds it by itself.")
    min_shard_bytes: Positive = Field(
        256 << 10, description="parameter_server: smallest part of a split variable."
    )
