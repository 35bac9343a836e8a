"""Evaluation: GAUC by slice, and when a model is blessed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.section import Positive, Section


class EvaluationConfig(Section):
    """GAUC by slice, and when a model is blessed."""

    enabled: bool = Field(
        True,
        description="Judge the model against the last blessed one. If false, a run "
        "ends with its report: no model is blessed, tried in a server or pushed. For "
        "runs that only compare models, such as one of several seeds.",
    )
    weighting: Literal["impressions", "positives", "none"] = "impressions"
    max_gauc_drop: float = Field(
        0.01,
        ge=0,
        description="A task's GAUC may fall by this much on any slice against the "
        "last blessed model.",
    )
    min_scored_users: Positive = Field(
        100, description="Slices with fewer scored users do not decide a blessing."
    )
    blessing_tasks: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="Tasks that decide a blessing; by default all.",
    )
    popularity_task: str | None = Field(
        None,
        description="Task by whose past rate per video the report ranks as a second "
        "baseline; by default the first.",
    )
