"""The configuration tree: what every part of a run reads, validated once."""

from pipeline.config.load import ConfigError, dump_config, load_config
from pipeline.config.tree import (
    AttentionConfig,
    DataConfig,
    EvaluationConfig,
    LogConfig,
    MMoEConfig,
    ModelConfig,
    PersonalizationConfig,
    RunConfig,
    ServingConfig,
    SplitConfig,
    StrategyConfig,
    TaskConfig,
    TrainingConfig,
    TransformConfig,
)

__all__ = [
    "AttentionConfig",
    "ConfigError",
    "DataConfig",
    "EvaluationConfig",
    "LogConfig",
    "MMoEConfig",
    "ModelConfig",
    "PersonalizationConfig",
    "RunConfig",
    "ServingConfig",
    "SplitConfig",
    "StrategyConfig",
    "TaskConfig",
    "TrainingConfig",
    "TransformConfig",
    "dump_config",
    "load_config",
]
