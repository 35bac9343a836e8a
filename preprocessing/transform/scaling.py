"""Numbers of any size become standard scores of those that are usual for the column.

A mean and a standard deviation are carried away by a single value that stands for
"unknown": one 3.4e38 among temperatures gives all of them the same score, 0. They are
therefore taken of the typical values alone, which quantiles find; and because a value
far from these must not blind the model either, large scores are compressed.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_transform as tft

# How far from the median a value is typical, in typical distances. Wide enough for all
# of a normal, a uniform or an exponential column.
_TYPICAL_DISTANCES = 100.0
_LINEAR_SCORES = 10.0
_QUANTILES = 1000
# Of a column of rates or logarithms that is not one value repeated and rounded.
_LEAST_DEVIATION = 1e-6


def standard_scores(value: tf.Tensor) -> tf.Tensor:
    """Scores that keep the order of the values, whatever a few of them are.

    m = median(x), d = the median of the distances |x - m| that are not 0, both of the
    column's 1,000 quantiles; typical are the values with |x - m| <= 100 d;
    z = (x - mean) / std, of the typical values; and beyond |z| = 10 the score is
    sign(z) (10 + ln(|z| / 10)), as steep there as z / 10. Distances of 0 do not count,
    so that a column that is mostly one value is scaled by the others. Where even the
    quantiles are all one value, each value is typical.

    One analyzer finds m and d, since the DirectRunner does not run a third that
    depends on a second ("watermark-pending bundles").

    Args:
        value: Numbers, float32 [batch]; NaN and infinity are missing.

    Returns:
        float32 [batch]; 0 for a missing value, and for all of a column that had a
        single value when it was analyzed: a model learns nothing of such an input.
    """
    known = tf.math.is_finite(value)
    exact = tf.cast(tf.where(known, value, tf.zeros_like(value)), tf.float64)
    middle, usual = _median_and_distance(tf.boolean_mask(exact, known))
    from_middle = exact - middle  # exactly 0 in a constant column, so is its variance
    is_typical = known & (
        (usual == 0) | (tf.abs(from_middle) <= _TYPICAL_DISTANCES * usual)
    )
    typical = tf.boolean_mask(from_middle, is_typical)
    mean, variance = tft.mean(typical), tft.var(typical)
    scale = tf.sqrt(tf.where(variance > 0, variance, tf.ones_like(variance)))
    scores = _compressed((from_middle - mean) / scale)
    varies = known & (variance > 0)
    return tf.cast(tf.where(varies, scores, tf.zeros_like(scores)), tf.float32)


def scores_of_columns(values: tf.Tensor) -> tf.Tensor:
    """Standard scores of many columns, which are analyzed together.

    z = (x - mean) / std of each column, compressed beyond 10 as in `standard_scores`.
    For rates and logarithms of counts, all of which are usual values: two analyzers
    serve all of them, where `standard_scores` would take three for each.

    Args:
        values: Numbers, float32 [batch, columns]; NaN and infinity are missing.

    Returns:
        float32 [batch, columns]; 0 for a missing value, and for all of a column that
        had a single value when it was analyzed.
    """
    exact = tf.cast(values, tf.float64)
    mean = tft.mean(exact, reduce_instance_dims=False)
    deviation = tf.sqrt(tft.var(exact, reduce_instance_dims=False))
    varies = deviation > _LEAST_DEVIATION
    scale = tf.where(varies, deviation, tf.ones_like(deviation))
    scored = tf.math.is_finite(exact) & varies
    known = tf.where(scored, exact, tf.zeros_like(exact))
    scores = _compressed((known - mean) / scale)
    return tf.cast(tf.where(scored, scores, tf.zeros_like(scores)), tf.float32)


def _median_and_distance(values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Over all batches; 0 for a distance that there is not."""
    found = tft.quantiles(values, _QUANTILES, epsilon=1 / _QUANTILES)
    ascending = tf.cast(tf.reshape(found, [-1]), tf.float64)
    middle = ascending[_QUANTILES // 2 - 1]
    distances = tf.sort(tf.abs(ascending - middle))
    zeros = tf.reduce_sum(tf.cast(distances == 0, tf.int32))
    return middle, distances[(zeros + _QUANTILES - 2) // 2]


def _compressed(scores: tf.Tensor) -> tf.Tensor:
    size = tf.abs(scores)
    beyond = _LINEAR_SCORES + tf.math.log(
        tf.maximum(size, _LINEAR_SCORES) / _LINEAR_SCORES
    )
    return tf.where(size <= _LINEAR_SCORES, scores, tf.sign(scores) * beyond)
