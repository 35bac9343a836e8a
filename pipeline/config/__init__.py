"""The configuration of a run: one file per step, and what each component reads."""

from pipeline.config.codes import CodeConfig
from pipeline.config.data import (
    ExamplesConfig,
    InputConfig,
    LogConfig,
    SplitConfig,
    StatisticsConfig,
)
from pipeline.config.days import DaysConfig
from pipeline.config.drift import DriftConfig
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
from pipeline.config.parts import (
    ServingStatisticsPart,
    StatisticsPart,
    TrainerPart,
    TrialPart,
)
from pipeline.config.run import RunConfig
from pipeline.config.schedule import ScheduleConfig
from pipeline.config.serving import ServingConfig
from pipeline.config.stopping import EarlyStoppingConfig
from pipeline.config.tracking import MLflowConfig, TensorBoardConfig
from pipeline.config.training import FitConfig, StrategyConfig, TrainingConfig
from pipeline.config.weights import SampleWeightsConfig
from preprocessing.transform.config import TransformConfig

__all__ = [
    "AttentionConfig",
    "CodeConfig",
    "ConfigError",
    "DaysConfig",
    "DriftConfig",
    "EarlyStoppingConfig",
    "EvaluationConfig",
    "ExamplesConfig",
    "FitConfig",
    "GatesConfig",
    "InputConfig",
    "LogConfig",
    "MLflowConfig",
    "MMoEConfig",
    "ModelConfig",
    "PersonalizationConfig",
    "RunConfig",
    "SampleWeightsConfig",
    "ScheduleConfig",
    "ServingConfig",
    "ServingStatisticsPart",
    "SplitConfig",
    "StatisticsConfig",
    "StatisticsPart",
    "StrategyConfig",
    "TaskConfig",
    "TensorBoardConfig",
    "TrainerPart",
    "TrainingConfig",
    "TransformConfig",
    "TrialPart",
    "dump_config",
    "load_config",
]
