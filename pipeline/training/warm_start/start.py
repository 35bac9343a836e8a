"""Gives an untrained model the weights of an earlier one, as far as they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft

from pipeline.config import FitConfig, TrainerPart
from pipeline.model.ranking_model import RankingModel
from pipeline.training.strategies.trained_weights import parts_by_name
from pipeline.training.warm_start.input_meaning import InputMeaning
from pipeline.training.warm_start.known_rows import with_known_rows
from pipeline.training.warm_start.weight_files import (
    WeightFiles,
    has_weights,
    weights_folder,
)

_NAMED = 3


@dataclass
class WarmStart:
    """What a model took over from an earlier one.

    Attributes:
        known: Of each table of ids, how many of its ids the earlier one knew, and how
            many it has.
        taken: Names of the weights that were taken over, in whole or in part.
        fresh: Names of those that were not, since the earlier model has none that fit.
    """

    known: dict[str, tuple[int, int]] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ids = ", ".join(
            f"{table} {known:,} of {total:,}"
            for table, (known, total) in self.known.items()
        )
        text = f"known ids: {ids}" if ids else "no vocabularies"
        if not self.fresh:
            return text
        names = ", ".join(self.fresh[:_NAMED])
        more = len(self.fresh) - _NAMED
        if more > 0:
            names += f" and {more} more"
        return f"{text}; of another shape or meaning, so fresh: {names}"


def epochs_from(base_model: str | None, training: FitConfig) -> int:
    """Epochs of a training: those of a warm start where there is what to start from."""
    if not training.warm_start or base_model is None or not has_weights(base_model):
        return training.epochs
    return training.warm_start_epochs or training.epochs


def start_warm(
    model: RankingModel,
    config: TrainerPart,
    transform_output: tft.TFTransformOutput,
    base_model: str | None,
) -> str:
    """Starts a training from an earlier model where there is one.

    Args:
        model: As `take_weights` takes it.
        config: What training reads of the configuration.
        transform_output: Has the vocabularies.
        base_model: The earlier model's folder, beside which its weights lie, or None.

    Returns:
        What was done, for people to read.
    """
    if base_model is None:
        return "starts fresh, there is no blessed model of earlier examples"
    try:
        earlier = WeightFiles(weights_folder(base_model))
    except FileNotFoundError as error:
        return f"starts fresh, the earlier model is of an earlier release: {error}"
    done = take_weights(model, config, transform_output, earlier)
    return f"starts from {base_model}; {done}"


def take_weights(
    model: RankingModel,
    config: TrainerPart,
    transform_output: tft.TFTransformOutput,
    earlier: WeightFiles,
) -> WarmStart:
    """Assigns an earlier model's weights to one that is about to be trained.

    Rows of ids are matched by id, those of buckets by the buckets' bounds. Ids that
    the earlier model did not know, and whatever of it does not fit, stay as they are:
    initial. Dense weights are matched by name and shape, but none is taken over where
    the two models read other inputs.

    Args:
        model: Compiled, its weights made, of any strategy but `tpu`.
        config: What training reads of the configuration.
        transform_output: Has the vocabularies.
        earlier: The earlier model's.
    """
    done = WarmStart()
    meaning = InputMeaning.of(config)
    same_inputs = meaning.inputs == earlier.meaning.inputs
    for name, parts in parts_by_name(model.trainable_variables).items():
        value = earlier.array(name)
        if value is not None:
            means, meant = meaning.rows_of(name), earlier.meaning.rows_of(name)
            if means is None:
                value = value if same_inputs else None
            elif means != meant:
                value = None
            elif means.get("table") and not means["hash_buckets"]:
                value = _known(
                    parts, value, earlier, means["table"], transform_output, done
                )
        if value is None or value.shape != _shape(parts):
            done.fresh.append(name)
            continue
        done.taken.append(name)
        _assign(parts, value)
    return done


def _known(
    parts: Sequence[tf.Variable],
    trained: npt.NDArray[np.generic],
    earlier: WeightFiles,
    table: str,
    transform_output: tft.TFTransformOutput,
    done: WarmStart,
) -> npt.NDArray[np.generic] | None:
    """A table with the rows of known ids; None where its rows have another width."""
    if trained.shape[1:] != _shape(parts)[1:]:
        return None
    tokens = pa.array(transform_output.vocabulary_by_name(table), pa.binary())
    fresh = np.concatenate([part.numpy() for part in parts])
    rows, known = with_known_rows(fresh, trained, tokens, earlier.tokens(table))
    done.known[table] = known, len(tokens)
    return rows


def _assign(parts: Sequence[tf.Variable], value: npt.NDArray[np.generic]) -> None:
    if len(parts) == 1:
        parts[0].assign(value)
        return
    begin = 0
    for part in parts:
        part.assign(value[begin : begin + part.shape[0]])
        begin += part.shape[0]


def _shape(parts: Sequence[tf.Variable]) -> tuple[int, ...]:
    first = tuple(parts[0].shape)
    if len(parts) == 1:
        return first
    return (sum(part.shape[0] for part in parts), *first[1:])
