"""The signatures of the exported SavedModel.

`serving_default` takes serialized `tf.Example`s, `predict_raw` the same features as
named dense tensors, `rank` one user and M candidates. All three run the Transform's own
graph, so a raw impression gives the same scores by any of them.

`classify` and `regress` give the scores of `serving_default` to Classify and Regress,
in whose signatures TensorFlow Serving expects `inputs`, and `classes` and `scores`, or
`outputs`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import tensorflow as tf

from serving.export.agreement import (
    with_agreed_shapes,
    with_one_row_length,
    with_one_width,
)
from serving.export.constant_weights import with_constant_weights

Tensors = dict[str, Any]
Score = Callable[[Tensors, bool], Mapping[str, tf.Tensor]]

Fusion = Literal["product", "weighted_sum"]

# What a refusal says that was expected, before the input that has another shape.
_OF_ROWS = "expected [B], one entry per row each, or [B, length] for lists"
_OF_A_USER = (
    "expected [M], one entry per candidate each, or [M, length] for lists, and [1] or "
    "[1, length] for the one user"
)

_MISSING = {tf.string: "", tf.int64: -1, tf.float32: float("nan")}


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
            have one length, or none where a column is not known.
        max_length: Events of a sequence that the transform keeps, the last ones.
    """

    name: str
    dtype: tf.DType
    kind: Literal["required", "optional", "list"]
    candidate: bool
    sequence: str = ""
    max_length: int = 0

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
        fusion_weights: Weight w of each task in the fused score, by task, in the
            order of the score matrix.
        fusion: `product` of the probabilities, each to the power of w, or
            `weighted_sum` of w times the probability.
        tracked: Layers and resources whose variables and tables are saved.
    """

    transform: Callable[[Tensors], Tensors]
    score: Score
    columns: Sequence[RawColumn]
    fusion_weights: Mapping[str, float]
    fusion: Fusion = "product"
    tracked: Sequence[Any] = field(default_factory=tuple)


def fused_scores(scores: tf.Tensor, module: RankingModule) -> tf.Tensor:
    """One score [M] per candidate, by the module's formula and weights.

    Args:
        scores: Probabilities [M, T] in the order of the weights.
        module: Has `fusion` and `fusion_weights`.
    """
    weights = tf.constant(list(module.fusion_weights.values()), tf.float32)
    if module.fusion == "weighted_sum":
        return tf.linalg.matvec(scores, weights)
    logs = tf.math.log(tf.maximum(scores, 1e-12))
    return tf.exp(tf.linalg.matvec(logs, weights))


def export_saved_model(module: RankingModule, path: str) -> None:
    """Writes a SavedModel with the signatures of this module."""
    root = tf.Module()
    root.tracked = list(module.tracked)
    scored = with_constant_weights(_serve_examples(module))
    signatures = {
        "serving_default": scored,
        "predict_raw": with_constant_weights(_predict_raw(module)),
        "rank": with_constant_weights(_rank(module)),
        "classify": _classify(module, scored),
        "regress": _regress(module, scored),
    }
    tf.saved_model.save(
        root,
        path,
        signatures=signatures,
        options=tf.saved_model.SaveOptions(experimental_custom_gradients=False),
    )
    _set_method_names(path)


def _set_method_names(path: str) -> None:
    """What `tf.saved_model.save` cannot be told; servers may ask for it."""
    updater = tf.compat.v1.saved_model.signature_def_utils.MethodNameUpdater(path)
    for name in ("classify", "regress"):
        updater.replace_method_name(name, f"tensorflow/serving/{name}", tags="serve")
    updater.save()


def _serve_examples(module: RankingModule) -> Any:
    @tf.function(autograph=False)
    def serving_default(examples: tf.Tensor) -> Tensors:
        """Serialized `tf.Example` [B] to one score [B] per task."""
        return dict(_score_examples(module, examples))

    return serving_default.get_concrete_function(_examples_spec("examples"))


def _classify(module: RankingModule, scored: Any) -> Any:
    tasks = list(module.fusion_weights)

    @tf.function(autograph=False)
    def classify(inputs: tf.Tensor) -> Tensors:
        """Serialized `tf.Example` [B] to `classes`, the tasks, and `scores` [B, T]."""
        scores = _stacked(scored(examples=inputs), tasks)
        classes = tf.broadcast_to(tf.constant(tasks), tf.shape(scores))
        return {"classes": classes, "scores": scores}

    return classify.get_concrete_function(_examples_spec("inputs"))


def _regress(module: RankingModule, scored: Any) -> Any:
    @tf.function(autograph=False)
    def regress(inputs: tf.Tensor) -> Tensors:
        """Serialized `tf.Example` [B] to `outputs` [B], the fused score."""
        scores = _stacked(scored(examples=inputs), list(module.fusion_weights))
        return {"outputs": fused_scores(scores, module)}

    return regress.get_concrete_function(_examples_spec("inputs"))


def _examples_spec(name: str) -> tf.TensorSpec:
    return tf.TensorSpec([None], tf.string, name=name)


def _score_examples(
    module: RankingModule, examples: tf.Tensor
) -> Mapping[str, tf.Tensor]:
    parsing = {column.name: column.parsing for column in module.columns}
    raw = tf.io.parse_example(examples, parsing, _names_of(examples))
    raw = with_one_row_length(raw, _sequences(module.columns))
    return module.score(module.transform(raw), False)


def _names_of(examples: tf.Tensor) -> tf.Tensor:
    """What a refusal calls each example."""
    return tf.strings.join(["example ", tf.strings.as_string(_range_like(examples))])


def _range_like(vector: tf.Tensor) -> tf.Tensor:
    return tf.range(tf.size(vector))


def _stacked(by_task: Mapping[str, tf.Tensor], tasks: list[str]) -> tf.Tensor:
    """Scores [B] by task to [B, T]."""
    return tf.stack([by_task[task] for task in tasks], axis=-1)


def _predict_raw(module: RankingModule) -> Any:
    @tf.function(autograph=False)
    def predict_raw(**inputs: tf.Tensor) -> Tensors:
        """Named dense tensors of batch B to one score [B] per task."""
        inputs = with_agreed_shapes(inputs, _OF_ROWS)
        return dict(module.score(_transformed(module, inputs), False))

    return predict_raw.get_concrete_function(
        **{column.name: column.dense_spec(None) for column in module.columns}
    )


def _rank(module: RankingModule) -> Any:
    tasks = list(module.fusion_weights)

    @tf.function(autograph=False)
    def rank(**inputs: tf.Tensor) -> Tensors:
        """One user and M candidates to `scores` [M, T], `fused` [M] and `tasks` [T]."""
        inputs = with_agreed_shapes(inputs, _OF_A_USER)
        by_task = module.score(_transformed(module, inputs), True)
        scores = _stacked(by_task, tasks)
        fused = fused_scores(scores, module)
        return {"scores": scores, "fused": fused, "tasks": tf.constant(tasks)}

    return rank.get_concrete_function(
        **{
            column.name: column.dense_spec(None if column.candidate else 1)
            for column in module.columns
        }
    )


def _transformed(module: RankingModule, inputs: Tensors) -> Tensors:
    """A request's dense tensors, brought into the form that parsing gives.

    What stands for a missing value stays: the Transform also takes it for missing, and
    rows are padded to one length, so nobody has to look for their ends.
    """
    inputs = with_one_width(inputs, _sequences(module.columns))
    inputs = {**inputs, **_newest_events(module.columns, inputs)}
    raw = {}
    for column in module.columns:
        value = inputs[column.name]
        if column.kind == "optional":
            value = value[:, None]
        raw[column.name] = value if column.kind == "required" else _rows(value)
    return module.transform(raw)


def _rows(value: tf.Tensor) -> tf.RaggedTensor:
    """[batch, length] as rows of that length."""
    batch, length = tf.unstack(tf.shape(value, tf.int64))
    splits = tf.range(batch + 1) * length
    return tf.RaggedTensor.from_row_splits(
        tf.reshape(value, [-1]), splits, validate=False
    )


def _sequences(columns: Sequence[RawColumn]) -> list[list[str]]:
    """Names of the columns of each sequence."""
    names = dict.fromkeys(column.sequence for column in columns if column.sequence)
    return [[c.name for c in columns if c.sequence == name] for name in names]


def _newest_events(columns: Sequence[RawColumn], inputs: Tensors) -> Tensors:
    """The columns of each sequence, cut to the last events that are known.

    An event lies at the same place in each; a column that is not known is empty. The
    Transform takes the last entries of a row, so what pads it must not be among them.
    """
    by_name = {column.name: column for column in columns}
    newest = {}
    for names in _sequences(columns):
        members = [by_name[name] for name in names]
        values = [inputs[name] for name in names]
        width = tf.reduce_max([tf.shape(value)[1] for value in values])
        events = tf.reduce_max([_length(value) for value in values], axis=0)
        kept = members[0].max_length
        first = tf.maximum(events - kept, 0)
        places = first[:, None] + tf.range(tf.minimum(width, kept))
        for column, value in zip(members, values, strict=True):
            missing = tf.constant(_MISSING[column.dtype], column.dtype)
            padding = [[0, 0], [0, width - tf.shape(value)[1]]]
            value = tf.pad(value, padding, constant_values=missing)
            newest[column.name] = tf.gather(value, places, batch_dims=1)
    return newest


def _length(value: tf.Tensor) -> tf.Tensor:
    """Entries [batch] of each row up to the last known one."""
    places = tf.range(1, tf.shape(value)[1] + 1)
    known = tf.cast(_is_known(value), tf.int32) * places
    return tf.maximum(tf.reduce_max(known, axis=1), 0)


def _is_known(value: tf.Tensor) -> tf.Tensor:
    """Whether a value is there: no empty string, no NaN, no negative integer."""
    if value.dtype == tf.string:
        return tf.not_equal(value, "")
    if value.dtype.is_floating:
        return tf.logical_not(tf.math.is_nan(value))
    return value >= 0
