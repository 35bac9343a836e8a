"""`preprocessing_fn`: feature-table columns to model inputs (TensorFlow Transform).

The same graph runs over the training data and inside the served model, so no feature is
computed twice in two ways. Missing is 0 everywhere: a null age, an empty
list, padding. Ages that are negative or NaN count as missing, so that a client whose
protocol has no null can say so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from preprocessing.arrays.days import MS_PER_HOUR
from preprocessing.contract.column_names import (
    SAMPLE_WEIGHT,
    UNKNOWN_LABEL,
    USER_GROUP_INDEX,
    USER_GROUPS,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.transform.config import TransformConfig, VocabularyConfig
from preprocessing.transform.input_specs import (
    HISTORY_GAP,
    USER_KEY,
    InputSpec,
    input_specs,
)
from preprocessing.transform.scaling import scores_of_columns, standard_scores

Tensors = dict[str, Any]
_QUANTILE_ERROR = 0.001  # as a share of the rows


def transform_custom_config(
    features: FeatureConfig,
    transform: TransformConfig,
    weight_column: str | None = None,
) -> dict[str, str]:
    """The `custom_config` under which TFX hands the settings to `preprocessing_fn`.

    Args:
        features: Settings of the feature table.
        transform: Settings of the Transform.
        weight_column: A numeric column with weights of impressions.
    """
    return {
        "features": features.model_dump_json(),
        "transform": transform.model_dump_json(),
        "weight_column": weight_column or "",
    }


def counted_columns(custom_config: dict[str, str]) -> dict[str, VocabularyConfig]:
    """The columns whose values make vocabularies, and the settings of these.

    A vocabulary has its column's name. The ids in a history are those of that column.

    Args:
        custom_config: What `transform_custom_config` returns.
    """
    features, settings = _settings(custom_config)
    return {
        spec.column: settings.vocabulary(spec.table)
        for spec in input_specs(features, settings)
        if spec.kind in ("id", "id_list")
        and not settings.vocabulary(spec.table).hash_buckets
    }


def analyzed_columns(custom_config: dict[str, str]) -> list[str]:
    """The columns of numbers whose means or quantiles `preprocessing_fn` asks for.

    `tft.get_analyze_input_columns` also names every column that is looked up in a
    vocabulary, whether it is analyzed or not.

    Args:
        custom_config: What `transform_custom_config` returns.
    """
    analyzed = (
        spec.column
        for spec in input_specs(*_settings(custom_config))
        if spec.kind == "numeric" or spec.quantiles
    )
    return list(dict.fromkeys(analyzed))


def preprocessing_fn(
    inputs: Tensors, custom_config: dict[str, str], vocabulary_dir: str = ""
) -> Tensors:
    """Maps a batch of feature-table columns to the tensors of `input_specs`.

    Args:
        inputs: Raw columns: dense [batch, 1], ragged or sparse where nullable or lists.
        custom_config: What `transform_custom_config` returns.
        vocabulary_dir: Holds a file for each of `counted_columns` with an id per line,
            where the vocabularies are known beforehand. By default TensorFlow Transform
            analyzes the columns.

    Returns:
        The model's inputs, and what training reads beside them: the labels as float32
        [batch], `UNKNOWN_LABEL` where a label is null; `user_key` int64 [batch], a hash
        that tells users apart; `user_group` int64 [batch], from 1 on in the order of
        `USER_GROUPS`; and where a weight column is named `sample_weight` float32
        [batch], 1 where the column is null.
    """
    features, settings = _settings(custom_config)
    vocabularies = {
        name: os.path.join(vocabulary_dir, name)
        if vocabulary_dir
        else _vocabulary(inputs[name], name, settings)
        for name in counted_columns(custom_config)
    }
    specs = input_specs(features, settings)
    rates = set(features.rate_columns)
    outputs: Tensors = {}
    for of_video in (False, True):  # a request has one user and many videos
        together = [
            spec
            for spec in specs
            if spec.column in rates and (spec.side == "video") == of_video
        ]
        outputs |= _of_rates(inputs, together)
    for spec in specs:
        if spec.name in outputs:
            continue
        column = inputs[spec.column]
        if spec.kind == "numeric":
            outputs[spec.name] = standard_scores(_number(column, spec))
        elif spec.kind == "bucket":
            outputs[spec.name] = _bucket(column, spec)
        else:
            known = vocabularies.get(spec.table)
            outputs[spec.name] = _lookup(column, spec, known, settings)
    outputs[HISTORY_GAP] = _gap_bucket(
        inputs[HISTORY_GAP], features.history_length, settings
    )
    outputs[USER_KEY] = tf.strings.to_hash_bucket_fast(
        _scalar(inputs["user_id"], ""), 2**62
    )
    outputs[USER_GROUP_INDEX] = _place(inputs["user_group"], USER_GROUPS)
    weight_column = custom_config["weight_column"]
    if weight_column:
        weight = tf.cast(_scalar(inputs[weight_column], 1), tf.float32)
        outputs[SAMPLE_WEIGHT] = tf.where(tf.math.is_nan(weight), 1.0, weight)
    for label in features.labels:
        known_or_not = _scalar(inputs[label], UNKNOWN_LABEL)
        outputs[label] = tf.cast(known_or_not, tf.float32)
    return outputs


def embedding_rows(
    vocabulary_size: Callable[[str], int], table: str, settings: TransformConfig
) -> int:
    """Rows of an embedding table: padding, the vocabulary, out-of-vocabulary.

    Args:
        vocabulary_size: Tells the size of a table's vocabulary. It is not asked for a
            table of hashed ids, which has none: there it is padding and the buckets.
        table: The table's name.
        settings: The settings of the Transform.
    """
    vocabulary = settings.vocabulary(table)
    if vocabulary.hash_buckets:
        return 1 + vocabulary.hash_buckets
    return 1 + vocabulary_size(table) + vocabulary.oov_buckets


def _settings(custom_config: dict[str, str]) -> tuple[FeatureConfig, TransformConfig]:
    return (
        FeatureConfig(**json.loads(custom_config["features"])),
        TransformConfig(**json.loads(custom_config["transform"])),
    )


def _vocabulary(column: Any, table: str, settings: TransformConfig) -> Any:
    vocabulary = settings.vocabulary(table)
    return tft.vocabulary(
        column,
        top_k=vocabulary.max_size,
        frequency_threshold=vocabulary.min_count,
        vocab_filename=table,
    )


def _of_rates(inputs: Tensors, specs: Sequence[InputSpec]) -> Tensors:
    """Numbers and quantile buckets of rates and counts, by name.

    The columns are analyzed together, since an analyzer costs by its number.
    """
    numbers = [spec for spec in specs if spec.kind == "numeric"]
    buckets = [spec for spec in specs if spec.quantiles]
    outputs: Tensors = {}
    if numbers:
        columns = [_number(inputs[spec.column], spec) for spec in numbers]
        scores = tf.unstack(scores_of_columns(tf.stack(columns, axis=1)), axis=1)
        outputs |= {s.name: score for s, score in zip(numbers, scores, strict=True)}
    if buckets:
        columns = [_bucketed(inputs[spec.column]) for spec in buckets]
        bounds = tft.quantiles(
            tf.stack(columns, axis=1),
            buckets[0].quantiles,
            epsilon=_QUANTILE_ERROR,
            reduce_instance_dims=False,
        )
        for place, (spec, column) in enumerate(zip(buckets, columns, strict=True)):
            index = tft.apply_buckets(column, bounds[place : place + 1])
            outputs[spec.name] = _with_missing(index, column)
    return outputs


def _number(column: Any, spec: InputSpec) -> tf.Tensor:
    """float32 [batch]; NaN is missing."""
    if not spec.logarithm:
        return _scalar(column, float("nan"))
    return tf.math.log1p(tf.cast(_scalar(column, 0), tf.float32))


def _lookup(
    column: Any, spec: InputSpec, vocabulary: Any, settings: TransformConfig
) -> tf.Tensor:
    if spec.kind == "id":
        tokens = _scalar(column, "")
    else:
        newest = spec.kind == "history"
        tokens = _padded(column, spec.length, "", keep_last=newest)
    known = settings.vocabulary(spec.table)
    if known.hash_buckets:
        index = tf.strings.to_hash_bucket_fast(tokens, known.hash_buckets)
    else:
        index = tft.apply_vocabulary(
            tokens, vocabulary, num_oov_buckets=known.oov_buckets
        )
    return tf.where(tokens == "", tf.zeros_like(index), index + 1)


def _bucket(column: Any, spec: InputSpec) -> tf.Tensor:
    value = _bucketed(column)
    if spec.quantiles:
        bounds = tft.quantiles(value, spec.quantiles, epsilon=_QUANTILE_ERROR)
        index = tft.apply_buckets(value, bounds)
    else:
        index = tf.raw_ops.Bucketize(input=value, boundaries=list(spec.boundaries))
    return _with_missing(index, value)


def _bucketed(column: Any) -> tf.Tensor:
    """float32 [batch]; -1 is missing."""
    return tf.cast(_scalar(column, -1), tf.float32)


def _with_missing(index: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Numbers of buckets from 1 on, int64 [batch]; 0 where the value is missing."""
    index = tf.cast(index, tf.int64) + 1
    return tf.where(value >= 0, index, tf.zeros_like(index))


def _place(column: Any, names: tuple[str, ...]) -> tf.Tensor:
    """Place of a text among names, from 1 on; 0 where it is none of them."""
    found = _scalar(column, "")[:, None] == tf.constant(names)[None]
    places = tf.range(1, len(names) + 1, dtype=tf.int64)
    return tf.reduce_sum(tf.cast(found, tf.int64) * places, axis=1)


def _gap_bucket(column: Any, length: int, settings: TransformConfig) -> tf.Tensor:
    gap = _padded(column, length, -1, keep_last=True)
    hours = tf.cast(gap, tf.float32) / MS_PER_HOUR
    index = tf.raw_ops.Bucketize(
        input=hours, boundaries=list(settings.gap_hours_boundaries)
    )
    index = tf.cast(index, tf.int64) + 1
    return tf.where(hours >= 0, index, tf.zeros_like(index))


def _scalar(column: Any, default: Any) -> tf.Tensor:
    """[batch], with `default` where the column has no value."""
    return tf.reshape(_padded(column, 1, default, keep_last=False), [-1])


def _padded(column: Any, length: int, default: Any, keep_last: bool) -> tf.Tensor:
    """[batch, length], right-padded; of longer rows the last (or first) are kept."""
    if isinstance(column, tf.SparseTensor):
        column = tf.RaggedTensor.from_sparse(column)
    if isinstance(column, tf.RaggedTensor):
        rows = column[:, -length:] if keep_last else column  # to_tensor cuts the end
        fill = tf.cast(tf.constant(default), column.dtype)
        return rows.to_tensor(default_value=fill, shape=[None, length])
    return tf.reshape(column, [-1, length])
