"""`run_fn`: trains the ranking model and exports it (TFX Trainer).

Up to three nodes of the pipeline run it: one trains the configured model, others the
plain baseline and the control. All write `history.json` (learning curves) and
`sensitivity.json` (Fig. 1b), and those with gates also `gates.json` (Fig. 4), beside
the model's run artifacts, for the report.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import FitConfig, ModelConfig, TrainerPart
from pipeline.model.embeddings import GAP_BUCKETS
from pipeline.model.export import export_model
from pipeline.model.ranking_model import RankingModel
from pipeline.progress import is_watched
from pipeline.training.batches import count_examples, read_batches
from pipeline.training.callbacks import training_callbacks
from pipeline.training.checkpoints import Checkpoints
from pipeline.training.diagnostics import input_sensitivity
from pipeline.training.epoch_reader import EpochReader
from pipeline.training.finite_losses import FiniteLosses
from pipeline.training.gate_profiles import GateRecord, profile_to_dict
from pipeline.training.launcher import train_in_cluster
from pipeline.training.loop import TrainingLoop
from pipeline.training.loop_state import LoopState
from pipeline.training.optimizers import build_optimizer, create_optimizer_variables
from pipeline.training.output_folders import check_folders, needed_bytes
from pipeline.training.repeatable import make_repeatable
from pipeline.training.run_files import GATES_FILE, HISTORY_FILE, SENSITIVITY_FILE
from pipeline.training.schedules import learning_rate
from pipeline.training.stop_signal import StopSignal
from pipeline.training.strategies import build_strategy, is_chief, learning_rate_factor
from pipeline.training.strategy_steps import build_steps
from pipeline.training.trained_weights import copy_by_checkpoint, copy_weights
from pipeline.training.workers import check_same, lost_workers_named, wait_for_all
from preprocessing.transform.graph import embedding_rows
from preprocessing.transform.input_specs import input_specs


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports, as TFX calls it: here, or in the processes of a cluster.

    Args:
        fn_args: As `train` takes them.
    """
    custom = fn_args.custom_config
    config = TrainerPart.model_validate_json(custom["config"])
    if config.training.strategy.in_processes:
        train_in_cluster(fn_args, config.training.strategy)
    else:
        train(fn_args)


def train(fn_args: FnArgs) -> None:
    """Trains and exports in this process, which may be one of a cluster's.

    Of several processes the chief alone writes, and the others wait for it.

    Args:
        fn_args: File patterns and folders from TFX; `custom_config` holds `config`, a
            `TrainerPart` as JSON, and `checkpoint_dir`, under which a killed training
            leaves what it had reached.
    """
    custom = fn_args.custom_config
    config = TrainerPart.model_validate_json(custom["config"])
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    make_repeatable(config.training)
    tf_keras.mixed_precision.set_global_policy(config.model.mixed_precision)
    settings = config.training.strategy
    strategy = build_strategy(settings)
    examples = _known_examples(fn_args, config.training)
    factor = learning_rate_factor(settings, strategy.num_replicas_in_sync)
    rate = learning_rate(
        config.training.schedule,
        factor * config.training.learning_rate,
        None if examples is None else _steps(examples, config.training),
    )
    with strategy.scope():
        model = build_model(config, transform_output)
        model.compile(optimizer=build_optimizer(config.training, model, rate))
    evaluation = read_batches(
        fn_args.eval_files, transform_output, config.training.batch_size
    )
    gates = GateRecord(model, config, next(iter(evaluation)))
    run_dir = Path(fn_args.model_run_dir)
    with StopSignal() as stop, lost_workers_named():
        checkpoints, history = _fit(
            model, config, transform_output, fn_args, stop, examples
        )
        if is_chief(strategy):
            if settings.weights_elsewhere:
                model = _of_this_process(model, config, transform_output, evaluation)
            _write_json(run_dir / HISTORY_FILE, history)
            profile = gates.since_start(model)
            if profile:
                _write_json(run_dir / GATES_FILE, profile_to_dict(profile, config))
            sensitivity = input_sensitivity(model, config, evaluation)
            _write_json(run_dir / SENSITIVITY_FILE, sensitivity.to_dict())
            export_model(model, transform_output, config, fn_args.serving_model_dir)
            checkpoints.remove()
        wait_for_all(strategy)


def _of_this_process(
    trained: RankingModel,
    config: TrainerPart,
    transform_output: tft.TFTransformOutput,
    batches: tf.data.Dataset,
) -> RankingModel:
    """The trained model with weights that no other process holds."""
    model = build_model(config, transform_output)
    model(next(iter(batches)))
    if config.training.strategy.kind == "tpu":
        copy_by_checkpoint(trained, model)
    else:
        copy_weights(trained.trainable_variables, model.trainable_variables)
    return model


def build_model(
    config: TrainerPart, transform_output: tft.TFTransformOutput
) -> RankingModel:
    """An untrained model whose tables fit the Transform's vocabularies."""
    rows = {
        spec.table: embedding_rows(
            transform_output.vocabulary_size_by_name, spec.table, config.transform
        )
        for spec in input_specs(config.features, config.transform)
        if spec.kind in ("id", "id_list")
    }
    rows[GAP_BUCKETS] = len(config.transform.gap_hours_boundaries) + 2
    return RankingModel(config, rows)


def _fit(
    model: RankingModel,
    config: TrainerPart,
    transform_output: tft.TFTransformOutput,
    fn_args: FnArgs,
    stop: StopSignal,
    examples: int | None,
) -> tuple[Checkpoints, dict[str, list[float]]]:
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
    checkpoint_dir = _checkpoint_dir(fn_args, config)
    check_same(strategy, os.path.basename(checkpoint_dir))
    writes = is_chief(strategy)
    if writes:
        check_folders([fn_args.serving_model_dir, checkpoint_dir], needed_bytes(model))
    callbacks = training_callbacks(
        config,
        evaluation,
        name=_role(config.model),
        run_dir=fn_args.model_run_dir,
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
    checkpoints.restore()
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
    return checkpoints, loop.run()


def _role(model: ModelConfig) -> str:
    """What is trained, for the lines of progress."""
    if not model.poso.any:
        return "plain baseline"
    return "control" if model == model.control() else "model"


def _known_examples(fn_args: FnArgs, training: FitConfig) -> int | None:
    """How many examples an epoch has, where it pays to read them for it."""
    if not training.schedule.needs_steps and not is_watched():
        return None
    return count_examples(fn_args.train_files)


def _steps(examples: int, training: FitConfig) -> int:
    """Steps of the whole training."""
    per_epoch = examples / training.batch_size
    whole = training.strategy.kind == "tpu"  # drops a last, smaller batch
    return training.epochs * (int(per_epoch) if whole else math.ceil(per_epoch))


def _create_variables(model: RankingModel, example: dict[str, tf.Tensor]) -> None:
    """Makes all weights now: a training step that makes them is traced twice."""
    with model.distribute_strategy.scope():
        model(example)
        create_optimizer_variables(model)


def _checkpoint_dir(fn_args: FnArgs, config: TrainerPart) -> str:
    """Of this data and this configuration alone: another run must not resume it."""
    read = config.model_dump_json(exclude={"training": {"checkpoint_minutes"}})
    identity = "\n".join([read, fn_args.transform_graph_path, *fn_args.train_files])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return os.path.join(fn_args.custom_config["checkpoint_dir"], digest)


def _write_json(path: Path, value: Any) -> None:
    with tf.io.gfile.GFile(str(path), "w") as file:
        json.dump(value, file, indent=1)
