"""Where the progress of a training is recorded, besides the terminal."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from pipeline.config.section import Positive, Section, refuse_unused


class TensorBoardConfig(Section):
    """Event files in the model's run folder."""

    enabled: bool = True
    every_steps: Positive = Field(
        100, description="Steps between two points of the training loss."
    )
    profile_steps: tuple[Positive, Positive] | None = Field(
        None, description="First and last step of a profile, for example [10, 20]."
    )

    @field_validator("profile_steps")
    @classmethod
    def _ordered(cls, steps: tuple[int, int] | None) -> tuple[int, int] | None:
        if steps and steps[0] > steps[1]:
            raise ValueError(
                f"must be [first, last], in that order. Received: {list(steps)}"
            )
        return steps


class MLflowConfig(Section):
    """A run in an MLflow tracking server or folder."""

    tracking_uri: str = Field(
        "", description="Server or database, http://... or sqlite:///...; empty: none."
    )
    experiment: str = Field("poso", min_length=1, description="MLflow's experiment.")

    @model_validator(mode="after")
    def _all_is_read(self) -> MLflowConfig:
        if not self.tracking_uri:
            refuse_unused(self, ["experiment"], "without tracking_uri")
        return self
