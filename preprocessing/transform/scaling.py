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


def column_quantiles(value: tf.Tensor) -> tf.Tensor:
    """The 999 bounds between 1,000 buckets of a column's finite values, ascending.

    Args:
        value: Numbers, float32 [batch]; NaN and infinity are missing.

    Returns:
        float64 [999].
    """
    known = tf.boolean_mask(tf.cast(value, tf.float64), tf.math.is_finite(value))
    found = tft.quantiles(known, _QUANTILES, epsilon=1 / _QUANTILES)
    return tf.cast(tf.reshape(found, [-1]), tf.float64)


def bounds_of_buckets(quantiles: tf.Tensor, buckets: int) -> tf.Tensor:
    """The bounds between buckets of equal counts, float32 [buckets - 1].

    Args:
        quantiles: What `column_quantiles` returns.
        buckets: At most 1,000.
    """
    places = [round(_QUANTILES * k / buckets) - 1 for k in range(1, buckets)]
    return tf.cast(tf.gather(quantiles, places), tf.float32)


def standard_scores(value: tf.Tensor, quantiles: tf.Tensor | None = None) -> tf.Tensor:
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
        quantiles: What `column_quantiles` returns of them, where it was asked already.

    Returns:
        float32 [batch]; 0 for a missing value, and for all of a column that had a
        single value when it was analyzed: a model learns nothing of such an input.
    """
    if quantiles is None:
        quantiles = column_quantiles(value)
    known = tf.math.is_finite(value)
    exact = tf.cast(tf.where(known, value, tf.zeros_like(value)), tf.float64)
    middle, usual = _median_and_distance(quantiles)
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


def _median_and_distance(ascending: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Over all batches; 0 for a distance that there is not."""
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
