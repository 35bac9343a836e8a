"""What a trained model listens to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf

from pipeline.config import TrainerPart
from pipeline.model.ranking_model import RankingModel
from poso_keras.diagnostics import MaskingSensitivity, masking_sensitivity
from preprocessing.transform.input_specs import InputSpec, input_specs


def input_sensitivity(
    model: RankingModel,
    config: TrainerPart,
    batches: Iterable[Mapping[str, Any]],
    rows: int = 4096,
) -> MaskingSensitivity:
    """Change of what the tasks' last layers read when an input is masked.

    An input is masked by 0 where it enters: a bucket's or an id's embedding, its part
    of the personalization code, its matches with a history, a numeric value itself. An
    id's table is shared with the histories of the same ids, which are masked with it.
    Tables that are spread over the chips of a TPU are looked up all at once and left
    out. A history's matches are also masked alone, as `history_tags matches`.

    Args:
        model: The trained model.
        config: Its configuration.
        batches: Transformed tensors, in a fixed order.
        rows: Rows to average over: the batches that begin within these.
    """
    specs = [
        spec
        for spec in input_specs(config.features, config.transform)
        if spec.kind != "history"
    ]
    return masking_sensitivity(
        model,
        [_joined(_first_batches(batches, rows))],
        [spec.name for spec in specs if spec.kind == "numeric"],
        masked_layers={
            spec.name: [
                *_embeddings(spec),
                *_codes(spec, model),
                *_matches(spec, model).values(),
            ]
            for spec in specs
            if (spec.table or spec.name) in model.embedding.tables
        }
        | {
            f"{history} matches": layer
            for spec in specs
            for history, layer in _matches(spec, model).items()
        },
    )


def _embeddings(spec: InputSpec) -> list[str]:
    return [f"embedding/{spec.table or spec.name}_table"]


def _codes(spec: InputSpec, model: RankingModel) -> list[str]:
    return [
        f"{codes.name}/{name}"
        for codes in (model.personalization_code, model.input_codes)
        for name, column in codes.columns.items()
        if column == spec.name
    ]


def _matches(spec: InputSpec, model: RankingModel) -> dict[str, str]:
    """The layers that count a candidate's input in histories, by the histories."""
    matches = model.history_matches
    return {
        history: f"{matches.name}/{history}"
        for history, column in matches.columns.items()
        if column == spec.name
    }


def _joined(batches: Iterable[Mapping[str, Any]]) -> dict[str, tf.Tensor]:
    """One batch of all: a call for each input costs more than the rows in it."""
    parts = list(batches)
    return {name: tf.concat([part[name] for part in parts], 0) for name in parts[0]}


def _first_batches(
    batches: Iterable[Mapping[str, Any]], rows: int
) -> Iterable[Mapping[str, Any]]:
    seen = 0
    for batch in batches:
        if seen >= rows:
            return
        yield batch
        seen += len(next(iter(batch.values())))
