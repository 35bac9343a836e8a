"""How the embedding tables are trained, where it is not as the dense weights are."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.section import Section


class EmbeddingOptimizerConfig(Section):
    """The optimizer of the embedding tables; `training.optimizer` has the rest."""

    name: Literal["adam", "lazy_adam", "adagrad", "clippy_adagrad"] = Field(
        "lazy_adam",
        description="lazy_adam, adagrad and clippy_adagrad touch the rows in use; adam "
        "decays the moments of all rows in every step.",
    )
    learning_rate: float | None = Field(
        None,
        gt=0,
        description="By default training.learning_rate. A schedule of it scales both.",
    )
