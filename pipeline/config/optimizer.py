"""How the embedding tables are trained, where it differs from the dense weights."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.section import Section


class EmbeddingOptimizerConfig(Section):
    """The optimizer of the embedding tables; `training.optimizer` trains the rest."""

    name: Literal["adam", "lazy_adam", "adagrad", "clippy_adagrad"] = Field(
        "lazy_adam",
        description="lazy_adam, adagrad and clippy_adagrad touch the rows in use; adam "
        "decays the moments of all rows in every step.",
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="By default training.learning_rate. training.schedule scales both.",
    )
