"""`RunConfig`: everything that decides a run's result.

Where things lie (input, output) is no part of it.
"""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from pipeline.config.data import InputConfig, LogConfig, StatisticsConfig
from pipeline.config.days import DaysConfig
from pipeline.config.drift import DriftConfig, compared_columns, served_columns
from pipeline.config.evaluation import EvaluationConfig
from pipeline.config.model import ModelConfig, TaskConfig
from pipeline.config.rate_codes import check_rate_codes
from pipeline.config.section import PartT, select
from pipeline.config.serving import ServingConfig
from pipeline.config.training import TrainingConfig
from preprocessing.contract.names import Name


class RunConfig(InputConfig, LogConfig):
    """Everything that decides a run's result."""

    name: str = Field("poso", pattern=r"^[a-z][a-z0-9-]*$", max_length=63)
    statistics: StatisticsConfig = StatisticsConfig()
    drift: DriftConfig = DriftConfig()
    tasks: dict[Name, TaskConfig]
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    serving: ServingConfig = ServingConfig()
    days: DaysConfig = DaysConfig()

    @field_validator("tasks")
    @classmethod
    def _some_task(cls, tasks: dict[str, TaskConfig]) -> dict[str, TaskConfig]:
        if not tasks:
            raise ValueError("at least one task is needed")
        return tasks

    @model_validator(mode="after")
    def _tasks_have_labels(self) -> RunConfig:
        labels = self.features.labels
        self._all_known(
            "tasks", tuple(self.tasks), tuple(labels), "a label in features.labels"
        )
        if not any(task.fusion_weight for task in self.tasks.values()):
            raise ValueError(
                "tasks: at least one needs a fusion_weight above 0, otherwise every "
                "candidate has the same fused score"
            )
        evaluated = self.evaluation
        self._all_known(
            "evaluation.blessing_tasks",
            evaluated.blessing_tasks or (),
            tuple(self.tasks),
            "a task",
        )
        training = self.training
        if training.early_stopping.task:
            self._all_known(
                "training.early_stopping.task",
                (training.early_stopping.task,),
                tuple(self.tasks),
                "a task",
            )
        if training.sample_weights.column:
            self._all_known(
                "training.sample_weights.column",
                (training.sample_weights.column,),
                self.features.weight_columns,
                "a numeric column",
            )
        self._all_known(
            "drift.by_feature",
            tuple(self.drift.by_feature),
            compared_columns(self.features),
            "a column that is compared",
        )
        self._all_known(
            "drift.serving.by_feature",
            tuple(self.drift.serving.by_feature),
            served_columns(self.features, self.transform),
            "a column that is compared and that requests have",
        )
        if evaluated.popularity_task:
            self._all_known(
                "evaluation.popularity_task",
                (evaluated.popularity_task,),
                tuple(self.tasks),
                "a task",
            )
        return self

    @model_validator(mode="after")
    def _rate_codes_are_inputs(self) -> RunConfig:
        check_rate_codes(self.model, self.features, self.transform)
        return self

    @model_validator(mode="after")
    def _control_has_what_it_is_compared_with(self) -> RunConfig:
        training = self.training
        if training.control and not (training.baseline and self.model.poso.any):
            raise ValueError(
                "training.control needs a model with gates and the plain baseline to "
                "be compared with: set training.baseline and one of model.poso to "
                "true, or training.control to false"
            )
        return self

    @model_validator(mode="after")
    def _some_model_can_be_started_from(self) -> RunConfig:
        if self.training.warm_start and not self.evaluation.enabled:
            raise ValueError(
                "training.warm_start starts from a blessed model, and none is without "
                "an evaluation: set evaluation.enabled to true"
            )
        return self

    @model_validator(mode="after")
    def _precision_suits_the_strategy(self) -> RunConfig:
        kind = self.training.strategy.kind
        unscaled = kind in ("parameter_server", "tpu")  # as Keras' LossScaleOptimizer
        if unscaled and self.model.mixed_precision == "mixed_float16":
            raise ValueError(
                "model.mixed_precision mixed_float16 scales the loss, which is not "
                f"possible with training.strategy.kind {kind}: use mixed_bfloat16, "
                "which needs no scaling"
            )
        return self

    @staticmethod
    def _all_known(
        where: str, names: tuple[str, ...], known: tuple[str, ...], kind: str
    ) -> None:
        for name in names:
            if name not in known:
                raise ValueError(
                    f"{where} names '{name}', which is not {kind} "
                    f"({', '.join(known) or 'there are none'})"
                )

    @property
    def task_names(self) -> tuple[str, ...]:
        """The tasks in the order of the configuration (and of every score matrix)."""
        return tuple(self.tasks)

    @property
    def popularity_task(self) -> str:
        """The task by whose past rate per video the second baseline ranks."""
        return self.evaluation.popularity_task or self.task_names[0]

    @property
    def blessing_tasks(self) -> tuple[str, ...]:
        """The tasks that decide a blessing."""
        return self.evaluation.blessing_tasks or self.task_names

    def part(self, kind: type[PartT]) -> PartT:
        """What one component reads: the fields of `kind` and nothing else.

        A component is not run again when something changes that it is not given.

        Args:
            kind: `LogConfig`, `InputConfig` or a class of `pipeline.config.parts`.
        """
        return select(self, kind)

    def by_day(self) -> RunConfig:
        """The same run as one of a date, which names the window's days instead.

        Raises:
            ValueError: The run cannot be one of a date; the message says what to
                change.
        """
        split = self.split
        if split.by != "day" or split.eval_days != 1:
            raise ValueError(
                "a run of a date evaluates on that day: it needs split.by day and "
                f"split.eval_days 1. Received: {split.by}, {split.eval_days}"
            )
        if self.examples.engine != "threads":
            raise ValueError(
                "a run of a date goes on from the examples of the day before, which "
                f"takes examples.engine threads. Received: {self.examples.engine}"
            )
        window = split.model_copy(update={"first_train_day": None})
        return self.model_copy(update={"split": window})

    def plain(self) -> RunConfig:
        """The same run with every gate removed: the paper's baseline."""
        return self.model_copy(update={"model": self.model.plain()})

    def control(self) -> RunConfig:
        """The same run with gates that read a constant, so that none is personal."""
        return self.model_copy(update={"model": self.model.control()})
