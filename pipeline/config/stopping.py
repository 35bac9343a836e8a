"""When a training ends before its last epoch."""

from __future__ import annotations

from pydantic import Field, model_validator

from pipeline.config.section import Positive, Section, refuse_unused
from pipeline.config.weights import UserGroup


class EarlyStoppingConfig(Section):
    """Stops by the GAUC of one task, and takes the weights of the best epoch."""

    task: str | None = Field(
        None,
        description="The task whose GAUC decides; without one no training stops early.",
    )
    group: UserGroup | None = Field(
        None, description="The user group whose GAUC decides; by default all users."
    )
    patience: Positive = Field(
        2, description="Epochs without a better GAUC after which it stops."
    )
    min_delta: float = Field(
        0.0, ge=0, description="By how much a GAUC must exceed the best to be better."
    )

    @model_validator(mode="after")
    def _all_is_read(self) -> EarlyStoppingConfig:
        if self.task is None:
            refuse_unused(self, ["group", "patience", "min_delta"], "without task")
        return self

    @property
    def monitor(self) -> str:
        """The entry of the logs that decides."""
        return f"val_{self.task}_gauc" + (f"_{self.group}" if self.group else "")
