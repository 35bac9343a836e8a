"""Training: optimizer, schedule and distribution."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.embedding import EmbeddingConfig
from pipeline.config.optimizer import EmbeddingOptimizerConfig
from pipeline.config.schedule import ScheduleConfig
from pipeline.config.section import Positive, Section, refuse_unused
from pipeline.config.stopping import EarlyStoppingConfig
from pipeline.config.strategy import StrategyConfig
from pipeline.config.tracking import MLflowConfig, TensorBoardConfig
from pipeline.config.weights import SampleWeightsConfig


class FitConfig(Section):
    """What a training reads: optimizer, schedule and distribution."""

    batch_size: Positive = Field(
        1024, description="Examples per step, over all replicas."
    )
    epochs: Positive = 2
    learning_rate: float = Field(1e-3, gt=0)
    optimizer: Literal["adam", "adagrad", "clippy_adagrad"] = Field(
        "adam", description="Of all weights except the embedding tables."
    )
    embedding: EmbeddingConfig = EmbeddingConfig()
    embedding_optimizer: EmbeddingOptimizerConfig = EmbeddingOptimizerConfig()
    clip_norm: float | None = Field(
        10.0,
        gt=0,
        description="Largest norm of all gradients taken together; null: no clipping.",
    )
    shuffle_buffer: Positive = Field(65536, description="Examples mixed at a time.")
    seed: int = Field(
        17, ge=0, lt=1 << 32, description="Of the weights, the order and the dropout."
    )
    deterministic: bool = Field(
        False,
        description="Take operations that give the same bits on every run, on GPUs "
        "too, where they are slower.",
    )
    checkpoint_minutes: float = Field(
        5.0, gt=0, description="Minutes of training that a killed run may lose."
    )
    warm_start: bool = Field(
        False,
        description="Start from the weights of the last blessed model of earlier "
        "examples, ids matched by name; the optimizer starts anew.",
    )
    warm_start_epochs: Positive | None = Field(
        None,
        description="Epochs of a training that starts from an earlier model; by "
        "default as many as one that starts fresh.",
    )
    strategy: StrategyConfig = StrategyConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    sample_weights: SampleWeightsConfig = SampleWeightsConfig()
    early_stopping: EarlyStoppingConfig = EarlyStoppingConfig()
    tensorboard: TensorBoardConfig = TensorBoardConfig()
    mlflow: MLflowConfig = MLflowConfig()

    @model_validator(mode="after")
    def _epochs_are_of_a_warm_start(self) -> FitConfig:
        if not self.warm_start:
            refuse_unused(self, ["warm_start_epochs"], "without warm_start")
        return self

    @model_validator(mode="after")
    def _suits_the_strategy(self) -> FitConfig:
        if self.strategy.kind != "tpu":
            why = f"with strategy.kind {self.strategy.kind}, only with tpu"
            refuse_unused(self.embedding, ["tpu_min_rows"], why)
            return self
        if self.early_stopping.task:
            raise ValueError(
                "early_stopping.task cannot be used with strategy.kind tpu: the best "
                "epoch's weights would lack the tables that are spread over the chips"
            )
        if self.warm_start:
            raise ValueError(
                "warm_start cannot be used with strategy.kind tpu: tables that are "
                "spread over the chips cannot be set row by row"
            )
        if self.embedding_optimizer.name == "clippy_adagrad":
            raise ValueError(
                "embedding_optimizer.name must be lazy_adam, adam or adagrad with "
                "strategy.kind tpu: TPUs have no other. Received: clippy_adagrad"
            )
        return self


class TrainingConfig(FitConfig):
    """How models are trained, and which."""

    baseline: bool = Field(
        True, description="Also train the plain model and report the difference."
    )
    control: bool = Field(
        False,
        description="Also train the control, the same gates fed a constant code. It "
        "separates the gain by personalization from the gain by more parameters.",
    )
