"""`RankingModel`: embeddings, attention per history, MMoE, one tower per task.

The paper's production model (Fig. 2) and, module by module, its POSO version (Fig. 3).
With every gate off it is the paper's baseline; nothing else differs between the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras

from pipeline.config import TrainerPart
from pipeline.config.model import Module
from pipeline.model.embeddings import FeatureEmbedding
from pipeline.model.history_matches import HistoryMatches
from pipeline.model.input_codes import InputCodes
from pipeline.model.losses import MeanLoss
from pipeline.model.modules import build_attention, build_mixture, build_tower
from pipeline.model.multi_task_loss import MultiTaskLoss
from pipeline.model.personalization_code import ModuleCode, PersonalizationCode
from pipeline.model.scores import Scores, batch_scores
from pipeline.model.train_step import scaled_train_step
from preprocessing.transform.input_specs import input_specs

Tensors = Mapping[str, tf.Tensor]


class RankingModel(tfrs.Model):
    """A multi-task ranking model over the Transform's inputs (`input_specs`).

    Args:
        config: What training reads of the configuration.
        embedding_rows: Rows of each embedding table, by table name.

    Call it with a mapping of transformed tensors, each [batch, ...]; it returns the
    logits of each task, float32 [batch]. With `shared_user=True` the user's and the
    context's tensors have batch 1 and the video's batch M: what depends on the user
    alone is then computed once, and the logits are [M].
    """

    def __init__(self, config: TrainerPart, embedding_rows: Mapping[str, int]):
        super().__init__()
        specs = input_specs(config.features, config.transform)
        settings = config.model
        self.embedding = FeatureEmbedding(
            specs,
            embedding_rows,
            settings,
            config.training,
            # Of the tables' part of a `CompositeOptimizer`, once there is one.
            learning_rate=lambda: self.optimizer.optimizers[1].learning_rate,
        )
        self.input_codes = InputCodes(specs, settings)
        self.history_matches = HistoryMatches(
            specs, embedding_rows, config.transform, settings
        )
        self.personalization_code = PersonalizationCode(specs, embedding_rows, settings)
        self.histories = [spec for spec in specs if spec.kind == "history"]
        self._video_inputs = {s.name for s in specs if s.side == "video"}
        self._of_video = [s.side == "video" for s in specs if s.kind != "history"]
        self._of_video += self.input_codes.of_video
        self._of_video += [True] * len(self.history_matches.counters)
        self.attentions = {
            spec.name: build_attention(settings, f"{spec.name}_attention")
            for spec in self.histories
        }
        self.mmoe = build_mixture(settings, len(config.tasks))
        self.towers = {
            name: build_tower(settings, f"{name}_tower") for name in config.tasks
        }
        self.logits = {
            name: tf_keras.layers.Dense(1, dtype="float32", name=f"{name}_logit")
            for name in config.tasks
        }
        self.multi_task_loss = MultiTaskLoss(config)
        self._scores: Scores | None = None

    def call(
        self, inputs: Tensors, training: bool = False, shared_user: bool = False
    ) -> dict[str, tf.Tensor]:
        """Logits [batch] of each task."""
        if shared_user:
            inputs = self._with_one_user(inputs)
        inputs = self.embedding.prepared(inputs)
        parts = [
            *self.embedding(inputs),
            *self.input_codes(inputs),
            *self.history_matches(inputs),
        ]
        codes = self.personalization_code(inputs, parts)
        user, video = (
            tf.concat(
                [
                    p
                    for p, of_video in zip(parts, self._of_video, strict=True)
                    if of_video == wanted
                ],
                axis=-1,
            )
            for wanted in (False, True)
        )
        # Of a single user the layers take its features once, not once per candidate.
        features = video if shared_user else tf.concat([user, video], axis=-1)
        shared = user if shared_user else None
        pooled = [
            self.attentions[spec.name](
                features,
                self.embedding.sequence(inputs, spec),
                attention_mask=inputs[spec.name] > 0,
                shared_query=shared,
                **_code_arguments(codes, "attention"),
            )
            for spec in self.histories
        ]
        experts = self.mmoe(
            tf.concat([features, *pooled], axis=-1),
            shared_inputs=shared,
            expert_code=codes["experts"].codes if "experts" in codes else None,
            **_code_arguments(codes, "mmoe"),
        )
        return {
            name: tf.squeeze(
                self.logits[name](
                    tower(hidden, training=training, **_code_arguments(codes, "mlp"))
                ),
                axis=-1,
            )
            for (name, tower), hidden in zip(self.towers.items(), experts, strict=True)
        }

    def _with_one_user(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """States the user's batch of 1, which layers look for, in the static shapes."""
        return {
            name: value
            if name in self._video_inputs
            else tf.ensure_shape(value, [1, *value.shape[1:]])
            for name, value in inputs.items()
        }

    def compute_loss(self, inputs: Tensors, training: bool = False) -> tf.Tensor:
        """Weighted sum of the tasks' losses (`MultiTaskLoss`)."""
        logits = self(inputs, training=training)
        return self.multi_task_loss.compute(logits, inputs, training)

    @property
    def mean_loss(self) -> MeanLoss:
        """The mean loss over all batches since the metrics were reset."""
        return self.multi_task_loss.mean_loss

    # Nothing here or in poso_keras needs AutoGraph, and rewriting Keras' own sources
    # by it takes most of the time before the first step.
    train_step = tf.autograph.experimental.do_not_convert(scaled_train_step)
    test_step = tf.autograph.experimental.do_not_convert(tfrs.Model.test_step)
    predict_step = tf.autograph.experimental.do_not_convert(tfrs.Model.predict_step)

    def predict_on_batch(self, x: Tensors) -> dict[str, np.ndarray]:
        """Logits [batch] of each task, under every distribution strategy."""
        if not isinstance(
            self.distribute_strategy,
            tf.distribute.MultiWorkerMirroredStrategy
            | tf.distribute.ParameterServerStrategy,
        ):
            return super().predict_on_batch(x)
        # Keras' own knows neither workers that read the same nor a coordinator.
        if self._scores is None:
            self._scores = batch_scores(self)
        return self._scores(x)

    def probabilities(
        self, inputs: Tensors, shared_user: bool = False
    ) -> dict[str, tf.Tensor]:
        """Each task's probability, float32 [batch]."""
        logits = self(inputs, training=False, shared_user=shared_user)
        return {name: tf.sigmoid(value) for name, value in logits.items()}


def _code_arguments(
    codes: Mapping[Module, ModuleCode], module: Module
) -> dict[str, Any]:
    """What a module's layer takes of its code: nothing, if it is plain."""
    return codes[module].arguments if module in codes else {}
