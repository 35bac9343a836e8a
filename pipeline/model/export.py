"""Writes a trained model as a SavedModel with its Transform and warm-up requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.saved import saved_transform_io_v2

from pipeline.config import InputConfig, TrainerPart
from pipeline.examples.label_rules import write_label_rules
from pipeline.examples.schema import serving_columns
from pipeline.model.ranking_model import RankingModel
from preprocessing.arrays.days import MS_PER_HOUR
from preprocessing.datasets.feature_types import feature_type
from preprocessing.features.columns import feature_schema
from preprocessing.transform.input_specs import HISTORIES, HISTORY_GAP, input_specs
from serving.export.signatures import RankingModule, RawColumn, export_saved_model
from serving.export.version_files import list_version_files
from serving.export.warmup import write_warmup_requests

_IDS_OF_WARMUP = 1000


def export_model(
    model: RankingModel,
    transform_output: tft.TFTransformOutput,
    config: TrainerPart,
    path: str,
) -> None:
    """Exports a trained model.

    Args:
        model: The trained model.
        transform_output: The Transform whose graph goes into the SavedModel.
        config: What training reads of the configuration.
        path: Folder to write; it must not hold a model yet.
    """
    # What TransformFeaturesLayer wraps. Saving that layer, or the model, would trace
    # every Keras call once more for signatures that nobody asks for: 10 s each.
    loader = saved_transform_io_v2.SavedModelLoader(
        transform_output.transform_savedmodel_dir
    )
    shapes = {
        spec.name: [None, spec.length] if spec.length else [None]
        for spec in input_specs(config.features, config.transform)
    }
    shapes[HISTORY_GAP] = [None, config.features.history_length]

    def transform(raw: dict[str, Any]) -> dict[str, Any]:
        # A loaded graph has forgotten the shapes; the model's graph is better with.
        transformed = loader.apply_transform_model(raw)
        return {
            name: tf.ensure_shape(transformed[name], shape)
            for name, shape in shapes.items()
        }

    def score(inputs: dict[str, Any], shared_user: bool) -> Mapping[str, tf.Tensor]:
        return model.probabilities(inputs, shared_user=shared_user)

    module = RankingModule(
        transform=transform,
        score=score,
        columns=raw_columns(config),
        fusion_weights={n: task.fusion_weight for n, task in config.tasks.items()},
        fusion=config.serving.fusion.formula,
        tracked=[vars(loader), model.variables],
    )
    export_saved_model(module, path)
    write_warmup_requests(
        path,
        module.columns,
        config.serving.model_name,
        max_candidates=config.serving.max_candidates,
        count=config.serving.warmup_requests,
        known_values=_known_values(config, transform_output),
    )
    write_label_rules(path, config)
    list_version_files(path)


def raw_columns(config: InputConfig) -> list[RawColumn]:
    """The raw inputs of the exported model."""
    sides = {
        spec.column: spec.side
        for spec in input_specs(config.features, config.transform)
    }
    schema = feature_schema(config.features)
    length = config.features.history_length
    return [
        _raw_column(schema.field(name), sides.get(name) == "video", length)
        for name in serving_columns(config)
    ]


def _known_values(
    config: InputConfig, transform_output: tft.TFTransformOutput
) -> dict[str, list[Any]]:
    """Values of each raw column that the Transform has seen: for warm-up requests.

    Ids are the first of their vocabularies, numbers the bounds of their buckets. To a
    table of hashed ids all ids are alike.
    """
    values: dict[str, list[Any]] = {}
    for spec in input_specs(config.features, config.transform):
        if spec.table and config.transform.vocabulary(spec.table).hash_buckets:
            values[spec.column] = [b"%d" % number for number in range(_IDS_OF_WARMUP)]
        elif spec.table:
            seen = transform_output.vocabulary_by_name(spec.table)
            values[spec.column] = seen[:_IDS_OF_WARMUP]
        elif spec.boundaries:
            values[spec.column] = [int(bound) for bound in spec.boundaries]
    gaps = config.transform.gap_hours_boundaries
    values[HISTORY_GAP] = [round(hours * MS_PER_HOUR) for hours in gaps]
    return values


def _raw_column(field: Any, candidate: bool, history_length: int) -> RawColumn:
    listed = pa.types.is_list(field.type)
    dtype = tf.as_dtype(feature_type(field.type))
    kind: Literal["list", "optional", "required"] = (
        "list" if listed else "optional" if field.nullable else "required"
    )
    if field.name in (*HISTORIES, HISTORY_GAP):
        return RawColumn(field.name, dtype, kind, candidate, "history", history_length)
    return RawColumn(field.name, dtype, kind, candidate)
