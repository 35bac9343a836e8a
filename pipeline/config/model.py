"""The tasks and the ranking model: embeddings, attention, MMoE, towers, gates."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.section import Positive, Section

PersonalizationCode = Literal[
    "avc", "is_new_user", "user_id", "video_id", "video_age", "all_features"
]


class TaskConfig(Section):
    """One prediction target; its label is declared under `features.labels`."""

    weight: float = Field(1.0, gt=0, description="Weight of the task's loss.")
    fusion_weight: float = Field(
        1.0, ge=0, description="The task's w in the fused score; see serving.fusion."
    )
    positive_weight: float = Field(
        1.0, gt=0, description="Weight of impressions whose label is 1, in the loss."
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="s: the loss takes labels of 1 - s/2 and s/2 for 1 and 0.",
    )


class PersonalizationConfig(Section):
    """Which modules carry POSO gates; all false is the paper's baseline."""

    mlp: bool = Field(True, description="POSO (MLP) in the towers, Eq. 11.")
    attention: bool = Field(True, description="POSO (MHA) on the histories, Eq. 14.")
    mmoe: bool = Field(True, description="POSO (MMoE), Eq. 17.")

    @property
    def any(self) -> bool:
        """Whether at least one module is personalized."""
        return self.mlp or self.attention or self.mmoe


class AttentionConfig(Section):
    """Multi-head attention over each history (Eq. 12 to 14, Table 7)."""

    num_heads: Positive = 4
    key_dim: Positive = Field(16, description="Width of one head.")
    num_modules: Positive = Field(4, description="N, the copies where a mode is full.")
    query_mode: Literal["shared", "gated", "full"] = "shared"
    key_mode: Literal["shared", "gated", "full"] = "gated"
    value_mode: Literal["shared", "gated", "full"] = "full"

    @model_validator(mode="after")
    def _check_modes(self) -> AttentionConfig:
        if {self.query_mode, self.key_mode, self.value_mode} == {"shared"}:
            raise ValueError(
                "query_mode, key_mode and value_mode must not all be shared: nothing "
                "would be personalized; set model.poso.attention to false instead"
            )
        return self


class MMoEConfig(Section):
    """Multi-gate mixture of experts (Eq. 1 to 3, 17)."""

    num_experts: Positive = 4
    expert_units: tuple[Positive, ...] = (128, 64)


class ModelConfig(Section):
    """The tasks and the ranking model: embeddings, attention, MMoE, towers."""

    poso: PersonalizationConfig = PersonalizationConfig()
    personalization_code: tuple[PersonalizationCode, ...] = Field(
        ("avc",), min_length=1, description="What the gates read (paper, Table 6)."
    )
    embedding_dim: Positive = Field(16, description="Width of id embeddings.")
    bucket_embedding_dim: Positive = Field(8, description="Width of bucket embeddings.")
    embedding_l2: float = Field(0.0, ge=0, description="L2 penalty on id embeddings.")
    attention: AttentionConfig = AttentionConfig()
    mmoe: MMoEConfig = MMoEConfig()
    tower_units: tuple[Positive, ...] = (32,)
    dropout: float = Field(0.0, ge=0, lt=1)
    mixed_precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"

    def plain(self) -> ModelConfig:
        """The model without gates; what only gates read is at its default."""
        defaults = ModelConfig()
        gate_settings = {
            name: getattr(defaults.attention, name)
            for name in ("num_modules", "query_mode", "key_mode", "value_mode")
        }
        return self.model_copy(
            update={
                "poso": PersonalizationConfig(mlp=False, attention=False, mmoe=False),
                "personalization_code": defaults.personalization_code,
                "attention": self.attention.model_copy(update=gate_settings),
            }
        )
