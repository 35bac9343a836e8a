"""The steps up to the model's inputs: which log, which features, which split."""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.section import Positive, Section
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.contract.mapped_names import check_mapped_names
from preprocessing.transform.config import TransformConfig
from preprocessing.transform.input_specs import input_columns, input_specs


class SplitConfig(Section):
    """What is trained on and what is evaluated: days (paper, Sec. 5.1) or users."""

    by: Literal["day", "user"] = Field(
        "day",
        description="day: some days, and the next; user: some users, and the others, "
        "over the whole log (the paper's MovieLens, Sec. 5.3).",
    )
    train_user_share: float = Field(
        100 / 138,
        gt=0,
        lt=1,
        description="by user: share of the users to train on. The paper's is 100 "
        "thousand out of 138 thousand.",
    )
    first_train_day: datetime.date | None = Field(
        None,
        description="First day to train on; by default the one that makes the last day "
        "to evaluate on the log's last: the newest day with at least a tenth of a "
        "usual day's rows, so that a wrong clock does not move the window.",
    )
    train_days: Positive = Field(7, description="Consecutive days to train on.")
    eval_days: Positive = Field(1, description="Days after them to evaluate on.")
    min_eval_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Fewest rows of a day to evaluate on, as a share of those of the "
        "training window's middle day, where the window is given (first_train_day, or "
        "the date of a run); a run whose day has fewer fails.",
    )


class ExamplesConfig(Section):
    """How the raw examples are made of the log; their values do not depend on it."""

    engine: Literal["threads", "beam"] = Field(
        "threads",
        description="threads: this machine's cores, by far the fastest way where its "
        "disk has room for the log's features; beam: a Beam pipeline, on any runner, "
        "and TFX's own StatisticsGen and Transform, which run there, too. A pipeline "
        "compiled for Kubeflow always takes beam.",
    )


class LogConfig(Section):
    """What decides the raw examples."""

    source: SourceConfig
    features: FeatureConfig
    split: SplitConfig = SplitConfig()
    examples: ExamplesConfig = ExamplesConfig()

    @model_validator(mode="after")
    def _mapped_columns_are_read(self) -> LogConfig:
        check_mapped_names(self.source, self.features)
        return self


class StatisticsConfig(Section):
    """What a split's statistics are of."""

    max_examples: Positive = Field(
        100_000,
        description="Examples of each split that are described, drawn from all of it. "
        "With TFX's own component, on a cluster, all are.",
    )


class InputConfig(Section):
    """What decides the model's inputs, before and after the Transform."""

    features: FeatureConfig
    transform: TransformConfig = TransformConfig()

    @model_validator(mode="after")
    def _vocabularies_are_of_ids(self) -> InputConfig:
        inputs = input_specs(self.features, self.transform)
        known = dict.fromkeys(spec.table for spec in inputs if spec.table)
        for name in self.transform.vocabularies:
            if name not in known:
                raise ValueError(
                    f"transform.vocabularies names '{name}', which is not a column of "
                    f"ids ({', '.join(known)})"
                )
        return self

    @model_validator(mode="after")
    def _buckets_of_rates_have_names_of_their_own(self) -> InputConfig:
        if self.transform.rate_buckets and self.features.rates is None:
            raise ValueError(
                "transform.rate_buckets has no effect without features.rates: leave it "
                f"out. Received: {self.transform.rate_buckets}"
            )
        inputs = input_specs(self.features, self.transform)
        columns = (*input_columns(self.features, self.transform), *self.features.labels)
        taken = {name.lower(): name for name in columns}
        for spec in inputs:
            if spec.name != spec.column and spec.name.lower() in taken:
                raise ValueError(
                    f"transform.rate_buckets: the bucket of {spec.column} is called "
                    f"{spec.name}, which must not be the name of a label or a feature. "
                    f"Received: {taken[spec.name.lower()]}"
                )
        return self
