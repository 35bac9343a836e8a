"""Fits a compiled model: its data, callbacks, checkpoints and loop put together."""

from __future__ import annotations

import hashlib
import math
import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import FitConfig, ModelConfig, TrainerPart
from pipeline.model.ranking_model import RankingModel
from pipeline.progress import is_watched, report_progress
from pipeline.training.input.batches import count_examples, read_batches
from pipeline.training.input.epoch_reader import EpochReader
from pipeline.training.loop.checkpoints import Checkpoints
from pipeline.training.loop.finite_losses import FiniteLosses
from pipeline.training.loop.loop_state import LoopState
from pipeline.training.loop.stop_signal import StopSignal
from pipeline.training.loop.training_loop import TrainingLoop
from pipeline.training.optimizers.build import create_optimizer_variables
from pipeline.training.output_folders import bytes_to_write, check_folders
from pipeline.training.strategies.build import is_chief
from pipeline.training.strategies.strategy_steps import build_steps
from pipeline.training.strategies.workers import check_same
from pipeline.training.warm_start.start import start_warm
from pipeline.training.watching.callbacks import training_callbacks
from pipeline.training.watching.event_files import keep_event_files

# What the course of a training does not depend on.
_UNREAD: dict[str, Any] = {
    "tasks": {"__all__": {"fusion_weight"}},
    "training": {"checkpoint_minutes", "tensorboard", "mlflow"},
    "serving": True,
}


def fit(
    model: RankingModel,
    config: TrainerPart,
    transform_output: tft.TFTransformOutput,
    fn_args: FnArgs,
    stop: StopSignal,
    examples: int | None,
) -> tuple[Checkpoints, dict[str, list[float]]]:
    """Trains a model, or goes on with a training that was stopped.

    Args:
        model: Compiled, without weights.
        config: What training reads of the configuration.
        transform_output: Tells the tensors' names and shapes.
        fn_args: File patterns and folders, as `trainer.train` takes them.
        stop: Whether to save and stop.
        examples: In an epoch, if known.

    Returns:
        The checkpoints, to be removed once the model is exported, and the metrics of
        each epoch by name.
    """
    training = config.training
    reader = EpochReader(
        fn_args.train_files,
        transform_output,
        training.batch_size,
        shuffle_buffer=training.shuffle_buffer,
        seed=training.seed,
        drop_remainder=training.strategy.kind == "tpu",
    )
    example = reader.example()
    _create_variables(model, example)
    evaluation = read_batches(fn_args.eval_files, transform_output, training.batch_size)
    strategy = model.distribute_strategy
    with strategy.scope():
        finite = FiniteLosses(
            model,
            config.task_names,
            [name for name, value in example.items() if value.dtype.is_floating],
        )
    checkpoint_dir = training_checkpoint_dir(fn_args, config)
    check_same(strategy, os.path.basename(checkpoint_dir))
    writes, name = is_chief(strategy), _role(config.model)
    callbacks = training_callbacks(
        config,
        evaluation,
        name=name,
        checkpoint_dir=checkpoint_dir,
        examples=examples,
        is_chief=writes,
    )
    state = LoopState()
    checkpoints = Checkpoints(
        checkpoint_dir,
        model,
        state,
        minutes=training.checkpoint_minutes,
        writes=writes,
    )
    if not checkpoints.restore() and training.warm_start:
        said = start_warm(model, config, transform_output, fn_args.base_model)
        if writes:
            report_progress(f"{name}: {said}")
    if writes:
        check_folders(
            [fn_args.serving_model_dir, fn_args.model_run_dir, checkpoint_dir],
            bytes_to_write(
                model,
                checkpoint_dir,
                keeps_best=training.early_stopping.task is not None,
                finished=state.finished,
            ),
        )
    steps, evaluate = build_steps(model, reader, finite, evaluation)
    loop = TrainingLoop(
        model,
        steps,
        state,
        epochs=training.epochs,
        evaluate=evaluate,
        callbacks=callbacks,
        checkpoints=checkpoints,
        finite=finite,
        stop=stop,
    )
    history = loop.run()
    if writes:
        keep_event_files(name, checkpoint_dir, fn_args.model_run_dir)
    return checkpoints, history


def _role(model: ModelConfig) -> str:
    """What is trained, for the lines of progress."""
    if not model.poso.any:
        return "plain baseline"
    return "control" if model == model.control() else "model"


def known_examples(fn_args: FnArgs, training: FitConfig) -> int | None:
    """How many examples an epoch has, where it pays to read them for it."""
    if not training.schedule.needs_steps and not is_watched():
        return None
    return count_examples(fn_args.train_files)


def training_steps(examples: int, training: FitConfig) -> int:
    """Steps of the whole training."""
    per_epoch = examples / training.batch_size
    whole = training.strategy.kind == "tpu"  # drops a last, smaller batch
    return training.epochs * (int(per_epoch) if whole else math.ceil(per_epoch))


def _create_variables(model: RankingModel, example: dict[str, tf.Tensor]) -> None:
    """Makes all weights now: a training step that makes them is traced twice."""
    with model.distribute_strategy.scope():
        model(example)
        create_optimizer_variables(model)


def training_checkpoint_dir(fn_args: FnArgs, config: TrainerPart) -> str:
    """Of this data and this configuration alone: another run must not resume it."""
    read = config.model_dump_json(exclude=_UNREAD)
    places = [fn_args.transform_graph_path, *fn_args.train_files]
    if fn_args.base_model:
        places.append(fn_args.base_model)
    identity = "\n".join([read, *places])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return os.path.join(fn_args.custom_config["checkpoint_dir"], digest)
