"""The configuration of a run: one file per step, and what each component reads."""

from pipeline.config.codes import CodeConfig
from pipeline.config.data import InputConfig, LogConfig, SplitConfig
from pipeline.config.evaluation import EvaluationConfig
from pipeline.config.load import ConfigError, dump_config, load_config
from pipeline.config.model import (
    AttentionConfig,
    GatesConfig,
    MMoEConfig,
    ModelConfig,
    PersonalizationConfig,
    TaskConfig,
)
from pipeline.config.parts import TrainerPart, TrialPart
from pipeline.config.run import RunConfig
from pipeline.config.serving import ServingConfig
from pipeline.config.training import FitConfig, StrategyConfig, TrainingConfig
from preprocessing.transform.config import TransformConfig

__all__ = [
    "AttentionConfig",
    "CodeConfig",
    "ConfigError",
    "EvaluationConfig",
    "FitConfig",
    "GatesConfig",
    "InputConfig",
    "LogConfig",
    "MMoEConfig",
    "ModelConfig",
    "PersonalizationConfig",
    "RunConfig",
    "ServingConfig",
    "SplitConfig",
    "StrategyConfig",
    "TaskConfig",
    "TrainerPart",
    "TrainingConfig",
    "TransformConfig",
    "TrialPart",
    "dump_config",
    "load_config",
]
