"""`RankingModel`: embeddings, attention per history, MMoE, one tower per task.

The paper's production model (Fig. 2) and, module by module, its POSO version (Fig. 3).
With every gate off it is the paper's baseline; nothing else differs between the two.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs
import tf_keras

from pipeline.config import TrainerPart
from pipeline.model.embeddings import FeatureEmbedding
from pipeline.model.input_codes import InputCodes
from pipeline.model.losses import MeanLoss, mean_loss_share, split_known
from pipeline.model.modules import build_attention, build_mixture, build_tower
from pipeline.model.personalization_code import PersonalizationCode
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
        self._task_weights = {name: t.weight for name, t in config.tasks.items()}
        self._masked = frozenset(config.features.masked_labels)
        specs = input_specs(config.features, config.transform)
        settings = config.model
        self.embedding = FeatureEmbedding(specs, embedding_rows, settings)
        self.input_codes = InputCodes(specs, settings)
        self.personalization_code = PersonalizationCode(specs, embedding_rows, settings)
        self.histories = [spec for spec in specs if spec.kind == "history"]
        self._video_inputs = {s.name for s in specs if s.side == "video"}
        self._of_video = [s.side == "video" for s in specs if s.kind != "history"]
        self._of_video += self.input_codes.of_video
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
        # TFRS logs the last batch's loss alone, which says little about an epoch.
        self.mean_loss = MeanLoss(tuple(self._task_weights.values()), name="mean_loss")
        self.task_losses = {
            name: tfrs.tasks.Ranking(
                loss=tf_keras.losses.BinaryCrossentropy(
                    from_logits=True, reduction=tf_keras.losses.Reduction.NONE
                ),
                metrics=[tf_keras.metrics.AUC(from_logits=True, name=f"{name}_auc")],
                name=f"{name}_task",
            )
            for name in config.tasks
        }

    def call(
        self, inputs: Tensors, training: bool = False, shared_user: bool = False
    ) -> dict[str, tf.Tensor]:
        """Logits [batch] of each task."""
        if shared_user:
            inputs = self._with_one_user(inputs)
        parts = [*self.embedding(inputs), *self.input_codes(inputs)]
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
                personalization_code=codes.get("attention"),
                attention_mask=inputs[spec.name] > 0,
                shared_query=shared,
            )
            for spec in self.histories
        ]
        experts = self.mmoe(
            tf.concat([features, *pooled], axis=-1),
            personalization_code=codes.get("mmoe"),
            shared_inputs=shared,
            expert_code=codes.get("experts"),
        )
        return {
            name: tf.squeeze(
                self.logits[name](
                    tower(
                        hidden,
                        personalization_code=codes.get("mlp"),
                        training=training,
                    )
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
        """Weighted sum of the tasks' mean binary cross-entropies.

        A task's mean is over its labels that are known; 0 in a batch without any.
        """
        logits = self(inputs, training=training)
        total = tf.constant(0.0)
        sums, counts = [], []
        for name, weight in self._task_weights.items():
            labels, known = inputs[name], None
            if name in self._masked:
                labels, known = split_known(labels)
            losses = self.task_losses[name](
                labels=labels[:, None],
                predictions=logits[name][:, None],
                sample_weight=None if known is None else known[:, None],
                compute_metrics=not training,
            )
            total += weight * mean_loss_share(losses, known)
            sums.append(tf.reduce_sum(losses))
            counts.append(
                tf.reduce_sum(tf.ones_like(losses) if known is None else known)
            )
        self.mean_loss.update_state(tf.stack(sums), tf.stack(counts))
        return total

    # Nothing here or in poso_keras needs AutoGraph, and rewriting Keras' own sources
    # by it takes most of the time before the first step.
    train_step = tf.autograph.experimental.do_not_convert(tfrs.Model.train_step)
    test_step = tf.autograph.experimental.do_not_convert(tfrs.Model.test_step)
    predict_step = tf.autograph.experimental.do_not_convert(tfrs.Model.predict_step)

    def predict_on_batch(self, x: Tensors) -> dict[str, np.ndarray]:
        """Logits [batch] of each task, under every distribution strategy."""
        if self.distribute_strategy._should_use_with_coordinator:
            # Keras' own does not know parameter servers; its `predict` does.
            return self.predict(tf.data.Dataset.from_tensors(dict(x)), verbose=0)
        return super().predict_on_batch(x)

    def probabilities(
        self, inputs: Tensors, shared_user: bool = False
    ) -> dict[str, tf.Tensor]:
        """Each task's probability, float32 [batch]."""
        logits = self(inputs, training=False, shared_user=shared_user)
        return {name: tf.sigmoid(value) for name, value in logits.items()}
