"""The tasks and the ranking model: embeddings, attention, MMoE, towers, gates."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.config.codes import AVC_CODE, CONSTANT_CODE, CodeConfig, Codes
from pipeline.config.section import Positive, Section

Module = Literal["mlp", "attention", "mmoe", "experts"]


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
        description="s: the loss takes labels of 1 - s/2 and s/2 in place of 1 and 0.",
    )


class PersonalizationConfig(Section):
    """Which modules carry POSO gates; all false is the paper's baseline."""

    mlp: bool = Field(True, description="POSO (MLP) in the towers, Eq. 11.")
    attention: bool = Field(True, description="POSO (MHA) on the histories, Eq. 14.")
    mmoe: bool = Field(True, description="POSO (MMoE), Eq. 17.")
    experts: bool = Field(
        True,
        description="Gates on the experts' layers, too, as in Eq. 11; needs mmoe.",
    )

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules that carry gates."""
        gated: dict[Module, bool] = {
            "mlp": self.mlp,
            "attention": self.attention,
            "mmoe": self.mmoe,
            "experts": self.mmoe and self.experts,
        }
        return tuple(module for module, on in gated.items() if on)

    @property
    def any(self) -> bool:
        """Whether at least one module is personalized."""
        return bool(self.modules)


class GatesConfig(Section):
    """The gates' networks: two layers, `W2 relu(W1 code + b1) + b2`, and a sigmoid."""

    hidden_units: Positive | None = Field(
        None,
        description="Width of the hidden layer; by default the number of gates, "
        "but at least 16 and at most 64.",
    )
    kernel_initializer: Literal["auto", "glorot_uniform", "he_normal"] = Field(
        "auto",
        description="Initialiser of W1. auto is glorot_uniform for codes with many "
        "columns of size 1 (thermometer, all_features), he_normal for others.",
    )
    output_variance: float = Field(
        1.0,
        gt=0,
        le=4,
        description="Variance of W2's initial values, multiplied by the number of its "
        "inputs. At 1 the gates of several modules start apart; at 0.01 all start near "
        "C / 2.",
    )


class AttentionConfig(Section):
    """Multi-head attention over each history (Eq. 12 to 14, Table 7)."""

    num_heads: Positive = 4
    key_dim: Positive = Field(16, description="Width of one head.")
    num_modules: Positive = Field(
        4, description="N, the copies of each projection whose mode is full."
    )
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
    personalization_code: Codes = Field(
        AVC_CODE, min_length=1, description="What the gates read (paper, Table 6)."
    )
    module_codes: dict[Module, Annotated[Codes, Field(min_length=1)]] = Field(
        default_factory=dict,
        description="What the gates of one module read instead, by module.",
    )
    input_codes: Codes = Field(
        AVC_CODE,
        description="Codes among the inputs of the model, gated or plain: an ordered "
        "code is worth much there too, and a comparison that gave it to the gates "
        "alone would credit them with it.",
    )
    input_code_scale: float = Field(
        0.2,
        gt=0,
        description="Factor by which `input_codes` are multiplied, since the "
        "embeddings beside them start near 0.",
    )
    history_matches: bool = Field(
        True,
        description="Whether the model, gated or plain, reads in how many entries of "
        "each history the candidate's video, author or first tag occurs, as ln(1 + n) "
        "and as a share of the history.",
    )
    gates: GatesConfig = GatesConfig()
    embedding_dim: Positive = Field(16, description="Width of id embeddings.")
    bucket_embedding_dim: Positive = Field(8, description="Width of bucket embeddings.")
    embedding_l2: float = Field(
        0.0,
        ge=0,
        description="L2 penalty on id embeddings. For each input of ids the loss gains "
        "this times the mean squared norm of the rows that the global batch looks up; "
        "the padding of lists and histories does not count.",
    )
    attention: AttentionConfig = AttentionConfig()
    mmoe: MMoEConfig = MMoEConfig()
    tower_units: tuple[Positive, ...] = (32,)
    dropout: float = Field(0.0, ge=0, lt=1)
    mixed_precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"

    @field_validator("input_codes")
    @classmethod
    def _are_no_inputs_already(
        cls, codes: tuple[CodeConfig, ...]
    ) -> tuple[CodeConfig, ...]:
        for code in codes:
            if not code.of_bucket:
                raise ValueError(
                    "must be buckets that are not embedded: everything else is among "
                    f"the model's inputs already. Received: {code.input}"
                )
        return codes

    @model_validator(mode="after")
    def _module_codes_are_read(self) -> ModelConfig:
        for module in self.module_codes:
            if module not in self.poso.modules:
                needed = "poso.mmoe and poso.experts" if module == "experts" else ""
                raise ValueError(
                    f"module_codes.{module} has no effect without the module's gates: "
                    f"set {needed or f'poso.{module}'} to true, or leave it out"
                )
        return self

    def codes_of(self, module: Module) -> tuple[CodeConfig, ...]:
        """What the gates of a module read."""
        return self.module_codes.get(module, self.personalization_code)

    @property
    def named_codes(self) -> dict[str, Codes]:
        """All codes that are configured, read or not, by the setting that has them."""
        return {
            "personalization_code": self.personalization_code,
            **{f"module_codes.{name}": own for name, own in self.module_codes.items()},
            "input_codes": self.input_codes,
        }

    def plain(self) -> ModelConfig:
        """The model without gates; what only gates read is at its default."""
        defaults = ModelConfig()
        gate_settings = {
            name: getattr(defaults.attention, name)
            for name in ("num_modules", "query_mode", "key_mode", "value_mode")
        }
        return self.model_copy(
            update={
                "poso": PersonalizationConfig(
                    mlp=False, attention=False, mmoe=False, experts=False
                ),
                "personalization_code": defaults.personalization_code,
                "module_codes": defaults.module_codes,
                "gates": defaults.gates,
                "attention": self.attention.model_copy(update=gate_settings),
            }
        )

    def control(self) -> ModelConfig:
        """The same gates fed a constant: their parameters, without personalization."""
        return self.model_copy(
            update={"personalization_code": CONSTANT_CODE, "module_codes": {}}
        )
