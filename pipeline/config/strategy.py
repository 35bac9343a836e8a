"""How training is distributed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.section import Positive, Section, refuse_unused

# Settings that only some strategies read.
_READ_BY: dict[str, tuple[str, ...]] = {
    "replicas": ("mirrored",),
    "local_workers": ("multi_worker", "parameter_server"),
    "local_servers": ("parameter_server",),
    "min_shard_bytes": ("parameter_server",),
    "tpu": ("tpu",),
}


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
        "by the number and `sqrt` by its square root. Not for parameter_server, whose "
        "workers each take steps of their own.",
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
        256 << 10,
        description="parameter_server: smallest part of a split variable, in bytes.",
    )
    tpu: str = Field(
        "", description="tpu: its name or address; if empty it is looked for."
    )

    @model_validator(mode="after")
    def _all_is_read(self) -> StrategyConfig:
        for name, kinds in _READ_BY.items():
            if self.kind not in kinds:
                only = " or ".join(kinds)
                refuse_unused(self, [name], f"with kind {self.kind}, only with {only}")
        if self.local_workers is None:
            refuse_unused(self, ["local_servers"], "without local_workers")
        if self.kind == "parameter_server":
            why = "with kind parameter_server, whose workers take steps of their own"
            refuse_unused(self, ["scale_learning_rate"], why)
        return self

    @property
    def in_processes(self) -> bool:
        """Whether training runs in several processes."""
        return self.kind in ("multi_worker", "parameter_server")

    @property
    def on_machines(self) -> bool:
        """Whether these are processes of other machines, too, which TF_CONFIG names."""
        return self.in_processes and self.local_workers is None

    @property
    def weights_elsewhere(self) -> bool:
        """Whether the exporting process does not hold the trained weights itself."""
        return self.in_processes or self.kind == "tpu"
