"""How the tables of ids are looked up."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.section import Positive, Section


class EmbeddingConfig(Section):
    """Lookups in the tables of ids, where they depend on the strategy."""

    tpu_min_rows: Positive = Field(
        10_000,
        description="strategy tpu: tables with more rows than this are spread over "
        "the chips (TFRS' TPUEmbedding), smaller ones are copied to each.",
    )
