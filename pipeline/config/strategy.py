"""How training is distributed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.section import Positive, Section


class StrategyConfig(Section):
    """How training is distributed; `pipeline.training.strategies.build` builds it."""

    kind: Literal["none", "mirrored", "multi_worker", "parameter_server", "tpu"] = (
        "none"
    )
    scale_learning_rate: Literal["none", "linear", "sqrt"] = Field(
        "none",
        description="How learning_rate grows with the replicas that take a step "
        "together. batch_size is that of all of them, so `none` is right where it "
        "stays as it was; where it is raised with their number, `linear` multiplies "
        "by the number and `sqrt` by its root.",
    )
    replicas: Positive | None = Field(
        None,
        description="mirrored: devices to use, by default all; on a machine without "
        "a GPU the CPU is split into that many logical devices.",
    )
    local_workers: Positive | None = Field(
        None,
        description="multi_worker, parameter_server: workers to start on this "
        "machine's CPU; by default the cluster is the one in TF_CONFIG.",
    )
    local_servers: Positive = Field(
        2, description="parameter_server with local_workers: servers to start."
    )
    min_shard_bytes: Positive = Field(
        256 << 10, description="parameter_server: smallest part of a split variable."
    )
    tpu: str = Field("", description="tpu: name or address; empty finds it by itself.")

    @property
    def in_processes(self) -> bool:
        """Whether training is several processes."""
        return self.kind in ("multi_worker", "parameter_server")

    @property
    def weights_elsewhere(self) -> bool:
        """Whether the trained weights are not in the memory of the one that exports."""
        return self.in_processes or self.kind == "tpu"
