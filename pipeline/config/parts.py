"""What single components read of a run's configuration (`RunConfig.part`).

TFX runs a component again when its parameters change. Each component is therefore
given one of these, or `LogConfig` or `InputConfig`, as JSON; docs/pipeline_settings.md
says which setting runs which component again.
"""

from __future__ import annotations

from pipeline.config.data import InputConfig, StatisticsConfig
from pipeline.config.model import ModelConfig, TaskConfig
from pipeline.config.section import Section
from pipeline.config.serving import ExportConfig, TrialConfig
from pipeline.config.training import FitConfig
from preprocessing.contract.config import FeatureConfig


class StatisticsPart(Section):
    """What describes the raw examples."""

    features: FeatureConfig
    statistics: StatisticsConfig


class LoggedRequests(Section):
    """Where logged requests are."""

    logs: str | None


class DriftOfServing(Section):
    """Of the comparisons that with serving, without its thresholds."""

    serving: LoggedRequests


class ServedModel(Section):
    """The name that requests ask for."""

    model_name: str


class ServingStatisticsPart(InputConfig):
    """What describes the logged requests."""

    statistics: StatisticsConfig
    drift: DriftOfServing
    serving: ServedModel


class TrainerPart(InputConfig):
    """What trains and exports a model, the plain baseline included."""

    tasks: dict[str, TaskConfig]
    model: ModelConfig
    training: FitConfig
    serving: ExportConfig

    @property
    def task_names(self) -> tuple[str, ...]:
        """The tasks in the order of the configuration (and of every score matrix)."""
        return tuple(self.tasks)


class TrialServing(Section):
    """The name that a model is tried under, and the limits of the trial."""

    model_name: str
    validation: TrialConfig


class TrialPart(InputConfig):
    """What the trial of a model in a server reads.

    Attributes:
        task_names: The tasks in the order of every score matrix.
        serving: The model's name and the limits.
    """

    task_names: tuple[str, ...]
    serving: TrialServing
