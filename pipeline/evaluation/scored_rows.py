"""TFMA's analysis of rows that are scored already.

TFMA hands examples one by one through every step: a second for a thousand. An element
here is a cell, all rows that agree in the columns of the slices, so that there are as
many elements as there are such combinations. Slicing, thresholds, validation and the
files are TFMA's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.extractors import slice_key_extractor
from tensorflow_model_analysis.proto import config_pb2

from pipeline.evaluation.eval_config import USER_COLUMN
from pipeline.evaluation.scores import EvaluationRows, Scores
from preprocessing.contract.column_names import UNKNOWN_LABEL, USER_GROUPS


def analyze_scored_rows(
    pipeline: beam.Pipeline,
    rows: EvaluationRows,
    scores: Mapping[str, Scores],
    models: Mapping[str, str],
    config: config_pb2.EvalConfig,
    output_dir: str,
) -> None:
    """Adds to a Beam pipeline what writes TFMA's results of scored rows.

    Args:
        pipeline: Any; there is little for it to do.
        rows: What was scored.
        scores: By model and task, scores [rows]; the models' names are those of
            `config`, and a model may lack tasks that `config` does not ask it for.
        models: Where the models lie, by name, for the results to name.
        config: TFMA's, with its defaults filled in.
        output_dir: Where `tfma.load_eval_result` will find the results.
    """
    shared = [
        tfma.default_eval_shared_model(place, model_name=name, eval_config=config)
        for name, place in models.items()
    ]
    _ = (
        pipeline
        | "Cells" >> beam.Create(list(cells(rows, scores)), reshuffle=False)
        | "Analyze"
        >> tfma.ExtractEvaluateAndWriteResults(
            eval_shared_model=shared if len(shared) > 1 else shared[0],
            eval_config=config,
            extractors=[
                slice_key_extractor.SliceKeyExtractor(
                    eval_config=config, materialize=False
                )
            ],
            output_path=output_dir,
        )
    )


def cells(
    rows: EvaluationRows, scores: Mapping[str, Scores]
) -> Iterator[dict[str, Any]]:
    """The rows as TFMA's extracts, all rows of one group and kind of video at once.

    Users are uint64 numbers, which tells `GAUC` that an element is a cell; a label that
    is not known is NaN.

    Args:
        rows: What was scored.
        scores: By model and task, scores [rows].
    """
    for group in np.unique(rows.user_groups):
        for new in (False, True):
            places = np.flatnonzero(
                (rows.user_groups == group) & (rows.is_new_video == new)
            )
            if not len(places):
                continue
            names = [USER_GROUPS[group].encode()] if group >= 0 else []
            predictions = {
                model: {task: values[places] for task, values in by_task.items()}
                for model, by_task in scores.items()
            }
            yield {
                constants.FEATURES_KEY: {
                    USER_COLUMN: rows.users[places].astype(np.uint64),
                    "user_group": np.array(names, object),
                    "is_new_video": np.array([int(new)], np.int64),
                },
                constants.LABELS_KEY: {
                    task: _with_gaps(labels[places])
                    for task, labels in rows.labels.items()
                },
                constants.PREDICTIONS_KEY: predictions
                if len(predictions) > 1
                else next(iter(predictions.values())),
            }


def _with_gaps(labels: np.ndarray) -> np.ndarray:
    """Labels as float32, NaN where they are not known."""
    return np.where(labels == UNKNOWN_LABEL, np.nan, labels).astype(np.float32)
