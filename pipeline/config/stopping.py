"""When a training ends before its last epoch."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.section import Positive, Section
from pipeline.config.weights import UserGroup


class EarlyStoppingConfig(Section):
    """Stops by the GAUC of one task, and takes the weights of the best epoch."""

    task: str | None = Field(
        None, description="The task whose GAUC decides; without one nothing stops."
    )
    group: UserGroup | None = Field(
        None, description="The user group whose GAUC decides; by default all users."
    )
    patience: Positive = Field(2, description="Epochs without a better GAUC.")
    min_delta: float = Field(
        0.0, ge=0, description="A GAUC counts as better from this much more on."
    )

    @property
    def monitor(self) -> str:
        """The entry of the logs that decides."""
        return f"val_{self.task}_gauc" + (f"_{self.group}" if self.group else "")
