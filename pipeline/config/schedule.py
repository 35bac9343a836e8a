"""How the learning rate changes over a training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.section import Section, refuse_unused


class ScheduleConfig(Section):
    """Warm-up and decay of the learning rate."""

    warmup_steps: int = Field(
        0, ge=0, description="Steps over which the rate rises from 0 to learning_rate."
    )
    warmup_share: float = Field(
        0.0, ge=0, lt=1, description="The same as a share of all steps."
    )
    decay: Literal["constant", "cosine", "linear", "exponential"] = Field(
        "constant",
        description="How it falls from the warm-up to the end of the training.",
    )
    final_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="What the decay falls to, as a share of learning_rate: the rate of "
        "the step after the last one.",
    )

    @model_validator(mode="after")
    def _check(self) -> ScheduleConfig:
        if self.warmup_steps and self.warmup_share:
            raise ValueError("warmup_steps and warmup_share are mutually exclusive")
        if self.decay == "exponential" and not self.final_share:
            raise ValueError(
                "an exponential decay never reaches 0: final_share must be above 0, "
                "for example 0.01"
            )
        if self.decay == "constant":
            refuse_unused(self, ["final_share"], "with decay constant")
        return self

    @property
    def needs_steps(self) -> bool:
        """Whether the number of all steps must be known."""
        return bool(self.warmup_steps or self.warmup_share) or self.decay != "constant"
