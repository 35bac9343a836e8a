"""The three signatures of the exported SavedModel.

`serving_default` takes serialized `tf.Example`s, `predict_raw` the same features as
named dense tensors, `rank` one user and M candidates. All three run the Transform's own
graph, so a raw impression gives the same scores by any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import tensorflow as tf

Tensors = dict[str, Any]
Score = Callable[[Tensors, bool], Mapping[str, tf.Tensor]]


@dataclass(frozen=True)
class RawColumn:
    """One raw input of the model.

    Attributes:
        name: Its name in examples and in requests.
        dtype: tf.string, tf.int64 or tf.float32.
        kind: `required` has one value; `optional` one or none (in a dense request an
            empty string or NaN stands for none); `list` any number, padded at the end
            of a row with "" or -1 in a dense request.
        candidate: Whether it differs between the candidates of one `rank` request.
        sequence: Lists of one sequence describe the same events entry by entry and so
            have one length, that of the longest.
    """

    name: str
    dtype: tf.DType
    kind: Literal["required", "optional", "list"]
    candidate: bool
    sequence: str = ""

    @property
    def parsing(self) -> Any:
        """How `tf.io.parse_example` reads it."""
        if self.kind == "required":
            return tf.io.FixedLenFeature([], self.dtype)
        return tf.io.RaggedFeature(self.dtype, row_splits_dtype=tf.int64)

    def dense_spec(self, batch: int | None) -> tf.TensorSpec:
        """Its place in a request: [batch], or [batch, length] for a list."""
        shape = [batch, None] if self.kind == "list" else [batch]
        return tf.TensorSpec(shape, self.dtype, name=self.name)


@dataclass(frozen=True)
class RankingModule:
    """What the signatures are made of.

    Attributes:
        transform: From raw columns to the model's inputs; the Transform's graph.
        score: From the model's inputs to each task's probability [batch]; the second
            argument says that the user's tensors have batch 1 (`shared_user`).
        columns: The raw columns that scoring needs.
        fusion_weights: Exponent of each task in the fused score, by task, in the
            order of the score matrix.
        tracked: Layers and resources whose variables and tables are saved.
    """

    transform: Callable[[Tensors], Tensors]
    score: Score
    columns: Sequence[RawColumn]
    fusion_weights: Mapping[str, float]
    tracked: Sequence[Any] = field(default_factory=tuple)


def export_saved_model(module: RankingModule, path: str) -> None:
    """Writes a SavedModel with `serving_default`, `predict_raw` and `rank`."""
    root = tf.Module()
    root.tracked = list(module.tracked)
    signatures = {
        "serving_default": _serve_examples(module),
        "predict_raw": _predict_raw(module),
        "rank": _rank(module),
    }
    tf.saved_model.save(
        root,
        path,
        signatures=signatures,
        options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
    )


def _serve_examples(module: RankingModule) -> Any:
    parsing = {column.name: column.parsing for column in module.columns}

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.string, name="examples")],
        autograph=False,
    )
    def serving_default(examples: tf.Tensor) -> Tensors:
        """Serialized `tf.Example` [B] to one score [B] a task."""
        raw = tf.io.parse_example(examples, parsing)
        return dict(module.score(module.transform(raw), False))

    return serving_default


def _predict_raw(module: RankingModule) -> Any:
    @tf.function(autograph=False)
    def predict_raw(**inputs: tf.Tensor) -> Tensors:
        """Named dense tensors of batch B to one score [B] a task."""
        return dict(module.score(_transformed(module, inputs), False))

    return predict_raw.get_concrete_function(
        **{column.name: column.dense_spec(None) for column in module.columns}
    )


def _rank(module: RankingModule) -> Any:
    tasks = list(module.fusion_weights)
    weights = list(module.fusion_weights.values())

    @tf.function(autograph=False)
    def rank(**inputs: tf.Tensor) -> Tensors:
        """One user and M candidates to `scores` [M, T], `fused` [M] and `tasks` [T].

        `fused` is the product of the tasks' probabilities, each to the power of its
        fusion weight.
        """
        by_task = module.score(_transformed(module, inputs), True)
        scores = tf.stack([by_task[task] for task in tasks], axis=-1)
        logs = tf.math.log(tf.maximum(scores, 1e-12))
        fused = tf.exp(tf.linalg.matvec(logs, tf.constant(weights, tf.float32)))
        return {"scores": scores, "fused": fused, "tasks": tf.constant(tasks)}

    return rank.get_concrete_function(
        **{
            column.name: column.dense_spec(None if column.candidate else 1)
            for column in module.columns
        }
    )


def _transformed(module: RankingModule, inputs: Tensors) -> Tensors:
    """A request's dense tensors, brought into the form that parsing gives."""
    raw = {}
    lengths = _list_lengths(module.columns, inputs)
    for column in module.columns:
        value = inputs[column.name]
        if column.kind == "list":
            value = tf.RaggedTensor.from_tensor(value, lengths=lengths[column.name])
        elif column.kind == "optional":
            known = tf.cast(_is_known(value), tf.int64)
            value = tf.RaggedTensor.from_tensor(value[:, None], lengths=known)
        raw[column.name] = value
    return module.transform(raw)


def _list_lengths(columns: Sequence[RawColumn], inputs: Tensors) -> Tensors:
    """Entries [batch] of each list column up to the last known one."""
    lists = [column for column in columns if column.kind == "list"]
    own = {column.name: _length(inputs[column.name]) for column in lists}
    longest: Tensors = {}
    for column in lists:
        key = column.sequence or column.name
        longest[key] = tf.maximum(longest.get(key, own[column.name]), own[column.name])
    return {
        column.name: tf.minimum(
            longest[column.sequence or column.name],
            tf.shape(inputs[column.name], tf.int64)[1],
        )
        for column in lists
    }


def _length(value: tf.Tensor) -> tf.Tensor:
    positions = tf.range(1, tf.shape(value, tf.int64)[1] + 1, dtype=tf.int64)
    known = tf.where(_is_known(value), positions[None, :], tf.zeros([], tf.int64))
    return tf.maximum(tf.reduce_max(known, axis=1), 0)


def _is_known(value: tf.Tensor) -> tf.Tensor:
    """Whether a value is there: no empty string, no NaN, no negative integer."""
    if value.dtype == tf.string:
        return tf.not_equal(value, "")
    if value.dtype.is_floating:
        return tf.logical_not(tf.math.is_nan(value))
    return value >= 0
