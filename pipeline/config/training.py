"""Training: optimizer, schedule and distribution."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.embedding import EmbeddingConfig
from pipeline.config.optimizer import EmbeddingOptimizerConfig
from pipeline.config.schedule import ScheduleConfig
from pipeline.config.section import Positive, Section
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
        "adam", description="Of all weights but the embedding tables."
    )
    embedding: EmbeddingConfig = EmbeddingConfig()
    embedding_optimizer: EmbeddingOptimizerConfig = EmbeddingOptimizerConfig()
    clip_norm: float | None = Field(
        10.0, gt=0, description="Largest norm of all gradients together."
    )
    shuffle_buffer: Positive = Field(65536, description="Examples mixed at a time.")
    seed: int = 17
    deterministic: bool = Field(
        False,
        description="Operations that give the same bits on every run, on GPUs too, "
        "where they are slower.",
    )
    checkpoint_minutes: float = Field(
        5.0, gt=0, description="Minutes of training that a killed run may lose."
    )
    strategy: StrategyConfig = StrategyConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    sample_weights: SampleWeightsConfig = SampleWeightsConfig()
    early_stopping: EarlyStoppingConfig = EarlyStoppingConfig()
    tensorboard: TensorBoardConfig = TensorBoardConfig()
    mlflow: MLflowConfig = MLflowConfig()


class TrainingConfig(FitConfig):
    """How models are trained, and which."""

    baseline: bool = Field(
        True, description="Also train the plain model and report the difference."
    )
    control: bool = Field(
        False,
        description="Also train the control, the same gates fed a constant code, which "
        "tells what personalization gains from what further parameters do.",
    )
