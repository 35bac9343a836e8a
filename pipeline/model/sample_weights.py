"""What each impression counts in the loss."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from pipeline.config import SampleWeightsConfig
from preprocessing.contract.column_names import (
    SAMPLE_WEIGHT,
    USER_GROUP_INDEX,
    USER_GROUPS,
)


def impression_weights(
    inputs: Mapping[str, tf.Tensor], settings: SampleWeightsConfig
) -> tf.Tensor | None:
    """Weights of a batch's impressions, for all tasks.

    Args:
        inputs: Transformed tensors; `user_group` and `sample_weight` are read where
            the settings ask for them.
        settings: Which impressions count how much.

    Returns:
        float32 [batch]: the weight of the user's group times that of the column; None
        where all impressions count alike.
    """
    weights = None
    if settings.by_group:
        named = {str(group): weight for group, weight in settings.by_group.items()}
        of_groups = [1.0, *(named.get(group, 1.0) for group in USER_GROUPS)]
        weights = tf.gather(tf.constant(of_groups), inputs[USER_GROUP_INDEX])
    if settings.column is not None:
        column = inputs[SAMPLE_WEIGHT]
        # XLA, on a TPU, leaves the check out.
        tf.debugging.assert_non_negative(
            column,
            f"training.sample_weights.column: '{settings.column}' must be 0 or more "
            "in every row",
        )
        weights = column if weights is None else weights * column
    return weights


def task_weights(
    labels: tf.Tensor,
    known: tf.Tensor | None,
    weights: tf.Tensor | None,
    positive_weight: float,
) -> tf.Tensor | None:
    """Weights of a batch's impressions in the loss of one task.

    Args:
        labels: 0 or 1, float32 [batch].
        known: 1 where the label is known, else 0, float32 [batch]; None if all are.
        weights: What `impression_weights` returns.
        positive_weight: Weight of a label of 1; one of 0 has weight 1.

    Returns:
        The product, float32 [batch]; None where every factor is 1.
    """
    factors = [factor for factor in (known, weights) if factor is not None]
    if positive_weight != 1.0:
        factors.append(1.0 + (positive_weight - 1.0) * labels)
    if not factors:
        return None
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product
