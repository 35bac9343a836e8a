"""How often the candidate occurs in the user's histories, among the model's inputs.

Attention could learn it, but has to learn first that a candidate's embedding and an
entry's are to be compared; in few epochs it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf
import tf_keras

from pipeline.config import ModelConfig
from pipeline.model.embeddings import Tensors
from preprocessing.transform.config import TransformConfig, VocabularyConfig
from preprocessing.transform.input_specs import InputSpec

_IN_NO_HISTORY = -1


class HistoryMatches(tf_keras.layers.Layer):
    """The matches of the candidate with each history, if the settings ask for them.

    Args:
        specs: The model's inputs.
        embedding_rows: Rows of each id table.
        transform: What the rows of the tables stand for.
        settings: Whether there are any.

    Attributes:
        counters: A `MatchCounter` for each history, by the history's name.
        columns: The candidate's inputs that these read, by the same names.
    """

    def __init__(
        self,
        specs: Sequence[InputSpec],
        embedding_rows: Mapping[str, int],
        transform: TransformConfig,
        settings: ModelConfig,
    ):
        super().__init__(name="history_matches")
        histories = [spec for spec in specs if spec.kind == "history"]
        candidates = {s.table: s for s in specs if s.kind in ("id", "id_list")}
        self.counters = {
            spec.name: MatchCounter(
                spec,
                candidates[spec.table],
                _known(embedding_rows[spec.table], transform.vocabulary(spec.table)),
            )
            for spec in histories
            if settings.history_matches
        }
        self.columns = {
            spec.name: candidates[spec.table].name
            for spec in histories
            if settings.history_matches
        }

    def call(self, inputs: Tensors) -> list[tf.Tensor]:
        """One [batch, 2] tensor per history, of the batch that candidates have."""
        return [counter(inputs) for counter in self.counters.values()]


class MatchCounter(tf_keras.layers.Layer):
    """The entries of one history that are the candidate's.

    Of n such entries in a history of `length` they are ln(1 + n) and n / length. An
    entry matches if its id is the candidate's or, of a list, the candidate's first, as
    a history holds the first of each. Ids that are missing or out of the vocabulary
    match nothing: two unknown ids share a row by chance.

    Args:
        history: The history.
        candidate: The candidate's ids, of the same table.
        known: Rows of the table from 1 on that stand for ids, and not for unknown ones.
    """

    def __init__(self, history: InputSpec, candidate: InputSpec, known: int):
        super().__init__(name=history.name)
        self._history = history.name
        self._candidate = candidate.name
        self._listed = candidate.kind == "id_list"
        self._known = known

    def call(self, inputs: Tensors) -> tf.Tensor:
        """[batch, 2], where the history may be that of a single user."""
        history, wanted = inputs[self._history], inputs[self._candidate]
        if self._listed:
            wanted = wanted[:, 0]
        is_id = (wanted > 0) & (wanted <= self._known)
        wanted = tf.where(is_id, wanted, _IN_NO_HISTORY)
        # float32: half precision does not hold all lengths.
        same = tf.cast(history == wanted[:, None], tf.float32)
        number = tf.reduce_sum(same, axis=1)
        length = tf.reduce_sum(tf.cast(history > 0, tf.float32), axis=1)
        share = tf.math.divide_no_nan(number, length)
        matches = tf.stack([tf.math.log1p(number), share], axis=1)
        return tf.cast(matches, self.compute_dtype)


def _known(rows: int, vocabulary: VocabularyConfig) -> int:
    """Ids that have a row of their own; of hashed ids all count as such."""
    if vocabulary.hash_buckets:
        return rows - 1
    return rows - 1 - vocabulary.oov_buckets
