"""The untrained model of a configuration and its Transform."""

from __future__ import annotations

import tensorflow_transform as tft

from pipeline.config import TrainerPart
from pipeline.model.embeddings import GAP_BUCKETS
from pipeline.model.ranking_model import RankingModel
from preprocessing.transform.graph import embedding_rows
from preprocessing.transform.input_specs import input_specs


def build_model(
    config: TrainerPart, transform_output: tft.TFTransformOutput
) -> RankingModel:
    """An untrained model whose tables fit the Transform's vocabularies."""
    rows = {
        spec.table: embedding_rows(
            transform_output.vocabulary_size_by_name, spec.table, config.transform
        )
        for spec in input_specs(config.features, config.transform)
        if spec.kind in ("id", "id_list")
    }
    rows[GAP_BUCKETS] = len(config.transform.gap_hours_boundaries) + 2
    return RankingModel(config, rows)
