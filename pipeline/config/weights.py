"""How much single impressions count in the loss."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipeline.config.section import Section

UserGroup = Literal["new", "returning", "inactive", "regular"]
Weight = Annotated[float, Field(ge=0)]


class SampleWeightsConfig(Section):
    """Weights of impressions; where both are given, their product counts."""

    by_group: dict[UserGroup, Weight] = Field(
        default_factory=dict,
        description="By user group; groups not named have weight 1.",
    )
    column: str | None = Field(
        None,
        description="A numeric column of the log with weights of 0 or more; a row "
        "without a value has weight 1.",
    )

    @field_validator("by_group")
    @classmethod
    def _some_weight(cls, weights: dict[str, float]) -> dict[str, float]:
        if len(weights) == 4 and not any(weights.values()):
            raise ValueError("at least one group needs a weight above 0")
        return weights
