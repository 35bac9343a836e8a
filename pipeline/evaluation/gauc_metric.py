"""GAUC as a TFMA metric, so that Evaluator computes it slice by slice.

TFMA's own way to see one user's examples at a time, `query_key`, puts *all* of a user's
examples into every slice that one of them belongs to. A user who ceases to be new in
the course of a day would be counted whole in both groups. This metric therefore keeps
(user, label, score) of a slice's examples and calls `poso_keras.gauc` once at the end:
20 bytes per example, and the same value as the function gives on the same arrays.

An element is an example, as TFMA makes them, or many rows at once, as
`pipeline.evaluation.scored_rows` makes them: its users are uint64 numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import pandas as pd
from tensorflow_model_analysis.metrics import metric_types, metric_util

from poso_keras import gauc

NAME = "gauc"
GUARD_NAME = "gauc_guard"


class GAUC(metric_types.Metric):
    """GAUC of one output, and `gauc_guard` for thresholds.

    `gauc_guard` equals `gauc` where at least `min_scored_users` users have both labels
    and 0 elsewhere. Two models see the same examples, so on a slice too small to judge
    the difference of their guards is 0 and no threshold on it can fail.

    Examples without the label are left out.

    Args:
        user_key: Raw feature that holds the user's id.
        weighting: As in `poso_keras.gauc`.
        min_scored_users: See above.
        name: Metric name.
    """

    def __init__(
        self,
        user_key: str = "user_id",
        weighting: str = "impressions",
        min_scored_users: int = 1,
        name: str = NAME,
    ):
        super().__init__(
            metric_util.merge_per_key_computations(_computations),
            user_key=user_key,
            weighting=weighting,
            min_scored_users=min_scored_users,
            name=name,
        )


metric_types.register_metric(GAUC)


def _computations(
    user_key: str,
    weighting: str,
    min_scored_users: int,
    name: str = NAME,
    eval_config: Any = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: Any = None,
    aggregation_type: Any = None,
    class_weights: Any = None,
    example_weighted: bool = False,
) -> metric_types.MetricComputations:
    if sub_key or aggregation_type or class_weights or example_weighted:
        raise ValueError(
            "GAUC has no sub keys, aggregations or weights of its own. Received: "
            f"{sub_key=}, {aggregation_type=}, {class_weights=}, {example_weighted=}"
        )
    keys = [
        # Thresholds by metric name are looked up with example_weighted=None.
        metric_types.MetricKey(
            name=key,
            model_name=model_name,
            output_name=output_name,
            example_weighted=None,
        )
        for key in (name, GUARD_NAME)
    ]
    return [
        metric_types.MetricComputation(
            keys=keys,
            preprocessors=[
                metric_types.StandardMetricInputsPreprocessor(
                    include_filter={
                        "labels": {},
                        "predictions": {},
                        "features": {user_key: {}},
                    }
                )
            ],
            combiner=_GAUCCombiner(
                keys, eval_config, user_key, weighting, min_scored_users
            ),
        )
    ]


Columns = tuple[list[Any], list[float], list[float]]


class _GAUCCombiner(beam.CombineFn):
    """Collects a slice's (user, label, score) and hands them to `gauc`."""

    def __init__(
        self,
        keys: list[metric_types.MetricKey],
        eval_config: Any,
        user_key: str,
        weighting: str,
        min_scored_users: int,
    ):
        self._keys = keys
        self._eval_config = eval_config
        self._user_key = user_key
        self._weighting = weighting
        self._min_scored_users = min_scored_users

    def create_accumulator(self) -> list[Columns]:
        return [([], [], [])]

    def add_input(
        self, accumulator: list[Columns], element: metric_types.StandardMetricInputs
    ) -> list[Columns]:
        user = np.asarray(element.features[self._user_key]).ravel()
        if user.dtype == np.uint64:
            [(label, score, _)] = self._labels_and_scores(element, flatten=False)
            known = ~np.isnan(label)
            # What was packed stands before the lists that go on growing.
            part = user[known], label[known], score[known].astype(np.float64)
            return [part, *accumulator]
        users, labels, scores = accumulator[-1]
        for label, score, _ in self._labels_and_scores(element):
            if not label.size:  # unknown, in this example or in its whole batch
                continue
            users.append(user[0])
            labels.append(float(np.asarray(label).item()))
            scores.append(float(np.asarray(score).item()))
        return accumulator

    def _labels_and_scores(
        self, element: metric_types.StandardMetricInputs, flatten: bool = True
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        model, output = self._keys[0].model_name, self._keys[0].output_name
        return metric_util.to_label_prediction_example_weight(
            _with_output_name(element, model, output),
            eval_config=self._eval_config,
            model_name=model,
            output_name=output,
            flatten=flatten,
            allow_none=True,
        )

    def merge_accumulators(self, accumulators: Iterable[list[Any]]) -> list[Any]:
        return [part for accumulator in accumulators for part in accumulator]

    def compact(self, accumulator: list[Any]) -> list[Any]:
        """Users as 64-bit hashes, labels and scores as arrays."""
        return [_packed(part) for part in accumulator]

    def extract_output(
        self, accumulator: list[Any]
    ) -> dict[metric_types.MetricKey, float]:
        parts = [_packed(part) for part in accumulator if len(part[0])]
        key, guard = self._keys
        if not parts:
            return {key: float("nan"), guard: 0.0}
        users, labels, scores = (np.concatenate(c) for c in zip(*parts, strict=True))
        result = gauc(labels, scores, users, weighting=self._weighting)
        judged = result.users_scored >= self._min_scored_users
        return {key: result.value, guard: result.value if judged else 0.0}


def _with_output_name(
    element: metric_types.StandardMetricInputs, model: str, output: str
) -> metric_types.StandardMetricInputs:
    """Gives a model's only output, which TFMA hands over without a name, its name."""
    scores = element.predictions[model] if model else element.predictions
    if not output or isinstance(scores, Mapping):
        return element
    named: Any = {output: scores}
    if model:
        named = {**element.predictions, model: named}
    return metric_types.StandardMetricInputs({**element, "predictions": named})


def _packed(part: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    users, labels, scores = part
    if isinstance(users, np.ndarray) and users.dtype == np.uint64:
        return part
    hashed = pd.util.hash_array(np.asarray(users, dtype=object))
    return hashed, np.asarray(labels, np.float32), np.asarray(scores, np.float64)
