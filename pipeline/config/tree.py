"""The configuration as frozen, validated objects.

A `RunConfig` holds all that decides a run's result. It travels to TFX components as
JSON, each given the part that it reads, so a cached component is reused until something
it reads has changed. Where things lie (input, output) is no part of it.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.transform.config import TransformConfig

Positive = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """Base of every section: frozen, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SplitConfig(Section):
    """What is trained on and what is evaluated: days (paper, Sec. 5.1) or users."""

    by: Literal["day", "user"] = Field(
        "day",
        description="day: some days, and the next; user: some users, and the others, "
        "over the whole log (the paper's MovieLens, Sec. 5.4).",
    )
    train_user_share: float = Field(
        100 / 138,
        gt=0,
        lt=1,
        description="by user: share of the users to train on. The paper's is 100 "
        "thousand of 138.",
    )
    first_train_day: datetime.date | None = Field(
        None, description="First day to train on; by default the log's first whole day."
    )
    train_days: Positive = Field(7, description="Consecutive days to train on.")
    eval_days: Positive = Field(1, description="Days after them to evaluate on.")


class TaskConfig(Section):
    """One prediction target; its label is declared under `features.labels`."""

    weight: float = Field(1.0, gt=0, description="Weight of the task's loss.")
    fusion_weight: float = Field(
        1.0, ge=0, description="The task's w in the fused score; see serving.fusion."
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


PersonalizationCode = Literal[
    "avc", "is_new_user", "user_id", "video_id", "video_age", "all_features"
]


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
    """The ranking model: embeddings, attention, MMoE, towers."""

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


class StrategyConfig(Section):
    """How training is distributed; `pipeline.training.strategies` builds it."""

    kind: Literal[
        "none", "mirrored", "multi_worker_mirrored", "tpu", "parameter_server"
    ] = "none"
    replicas: Positive | None = Field(
        None,
        description="mirrored: devices to use, by default all; on a machine without "
        "a GPU the CPU is split into that many logical devices.",
    )
    tpu: str = Field("", description="tpu: name or address; empty finds it by itself.")
    min_shard_bytes: Positive = Field(
        256 << 10, description="parameter_server: smallest part of a split variable."
    )


class TrainingConfig(Section):
    """Optimizer, schedule and distribution."""

    batch_size: Positive = Field(
        1024, description="Examples a step, over all replicas."
    )
    epochs: Positive = 2
    learning_rate: float = Field(1e-3, gt=0)
    optimizer: Literal["adam", "adagrad"] = "adam"
    clip_norm: float | None = Field(10.0, gt=0)
    shuffle_buffer: Positive = Field(65536, description="Examples mixed at a time.")
    seed: int = 17
    baseline: bool = Field(
        True, description="Also train the plain model and report the difference."
    )
    strategy: StrategyConfig = StrategyConfig()


class EvaluationConfig(Section):
    """GAUC by slice, and when a model is blessed."""

    weighting: Literal["impressions", "positives", "none"] = "impressions"
    max_gauc_drop: float = Field(
        0.01,
        ge=0,
        description="A task's GAUC may fall by this much on any slice against the "
        "last blessed model.",
    )
    min_scored_users: Positive = Field(
        100, description="Slices with fewer scored users do not decide a blessing."
    )
    blessing_tasks: tuple[str, ...] | None = Field(
        None, description="Tasks that decide a blessing; by default all."
    )
    popularity_task: str | None = Field(
        None,
        description="Task by whose past rate per video the report ranks as a second "
        "baseline; by default the first.",
    )


class FusionConfig(Section):
    """How one score comes of the tasks' probabilities p and fusion weights w."""

    formula: Literal["product", "weighted_sum"] = Field(
        "product",
        description="product: the product of p ** w; weighted_sum: the sum of w * p.",
    )


class ValidationConfig(Section):
    """Trying a model in a server before it is pushed (`pipeline.validation.trial`)."""

    enabled: bool = True
    requests: Positive = Field(
        32, description="Sampled impressions, each asked by every signature."
    )
    candidates: Positive = Field(20, description="M of the sampled rank requests.")
    max_score_difference: float = Field(
        1e-4, gt=0, description="Largest difference to the model's scores in process."
    )
    max_p99_ms: float = Field(
        1000.0, gt=0, description="Largest 99th percentile of the answers' latency."
    )
    start_timeout_s: float = Field(
        120.0, gt=0, description="How long the server may take to be ready."
    )
    serving_image_tags: tuple[str, ...] = Field(
        ("2.16.1",),
        min_length=1,
        description="TensorFlow Serving's images that try the model on Kubeflow.",
    )


class ServingConfig(Section):
    """What is exported beside the scores, and how it is tried before the push."""

    model_name: str = Field("ranker", min_length=1)
    fusion: FusionConfig = FusionConfig()
    warmup_requests: int = Field(
        24, ge=0, le=1000, description="Warm-up requests written at export."
    )
    max_candidates: Positive = Field(200, description="M of the largest warm-up rank.")
    validation: ValidationConfig = ValidationConfig()


class LogConfig(Section):
    """What decides the raw examples."""

    source: SourceConfig
    features: FeatureConfig
    split: SplitConfig = SplitConfig()


class DataConfig(LogConfig):
    """What decides the model's inputs."""

    transform: TransformConfig = TransformConfig()


class RunConfig(DataConfig):
    """Everything that decides a run's result."""

    name: str = Field("poso", pattern=r"^[a-z][a-z0-9-]*$")
    tasks: dict[str, TaskConfig]
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    serving: ServingConfig = ServingConfig()

    @field_validator("tasks")
    @classmethod
    def _some_task(cls, tasks: dict[str, TaskConfig]) -> dict[str, TaskConfig]:
        if not tasks:
            raise ValueError("at least one task is needed")
        return tasks

    @model_validator(mode="after")
    def _tasks_have_labels(self) -> RunConfig:
        labels = self.features.labels
        self._all_known("tasks", tuple(self.tasks), tuple(labels), "features.labels")
        if not any(task.fusion_weight for task in self.tasks.values()):
            raise ValueError(
                "tasks: at least one needs a fusion_weight above 0, else every "
                "candidate has the same fused score"
            )
        evaluated = self.evaluation
        self._all_known(
            "evaluation.blessing_tasks",
            evaluated.blessing_tasks or (),
            tuple(self.tasks),
            "tasks",
        )
        if evaluated.popularity_task:
            self._all_known(
                "evaluation.popularity_task",
                (evaluated.popularity_task,),
                tuple(self.tasks),
                "tasks",
            )
        return self

    @staticmethod
    def _all_known(
        where: str, names: tuple[str, ...], known: tuple[str, ...], source: str
    ) -> None:
        for name in names:
            if name not in known:
                raise ValueError(
                    f"{where} names '{name}', which is not under {source} "
                    f"({', '.join(known) or 'empty'})"
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

    def part(self, kind: type[LogConfig]) -> str:
        """The fields of `LogConfig` or `DataConfig` alone, as JSON.

        A component that is given no more than it reads is not run again when
        something else changes.
        """
        return self.model_dump_json(include=set(kind.model_fields))

    def plain(self) -> RunConfig:
        """The same run with every gate removed: the paper's baseline."""
        off = PersonalizationConfig(mlp=False, attention=False, mmoe=False)
        return self.model_copy(
            update={"model": self.model.model_copy(update={"poso": off})}
        )
