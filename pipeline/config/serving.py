"""What is exported for serving, and how it is tried before it is pushed."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.section import Positive, Section


class FusionConfig(Section):
    """How the tasks' probabilities p are combined into one score by weights w."""

    formula: Literal["product", "weighted_sum"] = Field(
        "product",
        description="product: the product of p ** w; weighted_sum: the sum of w * p.",
    )


class TrialConfig(Section):
    """A trial in a server and its limits (`pipeline.validation.trial`)."""

    enabled: bool = True
    requests: Positive = Field(
        32, description="Sampled impressions; each is sent to every signature."
    )
    candidates: Positive = Field(
        20, description="Candidates (M) of each sampled rank request."
    )
    max_score_difference: float = Field(
        1e-4,
        gt=0,
        description="Largest allowed difference from the scores that the model gives "
        "in the process that trained it.",
    )
    max_p99_ms: float = Field(
        1000.0, gt=0, description="Largest allowed 99th percentile of the latency."
    )
    start_timeout_s: float = Field(
        120.0, gt=0, description="How long the server may take to be ready."
    )


class ValidationConfig(TrialConfig):
    """Trying a model in a server before it is pushed, on this machine or Kubeflow."""

    serving_image_tags: tuple[str, ...] = Field(
        ("2.20.0",),
        min_length=1,
        description="Tags of the TensorFlow Serving images that try the model on "
        "Kubeflow.",
    )


class ExportConfig(Section):
    """What is exported besides the scores."""

    model_name: str = Field(
        "ranker",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        max_length=128,
        description="What clients call the model; a part of the server's URLs.",
    )
    fusion: FusionConfig = FusionConfig()
    warmup_requests: int = Field(
        24, ge=0, le=1000, description="Warm-up requests written at export."
    )
    max_candidates: Positive = Field(
        200, description="Candidates (M) of the largest warm-up request of `rank`."
    )


class ServingConfig(ExportConfig):
    """What is exported besides the scores, and how it is tried before it is pushed."""

    validation: ValidationConfig = ValidationConfig()
