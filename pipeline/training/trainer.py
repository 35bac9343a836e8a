"""`run_fn`: trains the ranking model and exports it (TFX Trainer).

Up to three nodes of the pipeline run it: one trains the configured model, others the
plain baseline and the control. All write `history.json` (learning curves) and
`sensitivity.json` (Fig. 1b), and those with gates also `gates.json` (Fig. 4), beside
the model's run artifacts, for the report.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import TrainerPart
from pipeline.model.build import build_model
from pipeline.model.export import export_model
from pipeline.model.ranking_model import RankingModel
from pipeline.training.cluster.launcher import train_in_cluster
from pipeline.training.findings.diagnostics import input_sensitivity
from pipeline.training.findings.gate_profiles import GateRecord, profile_to_dict
from pipeline.training.findings.run_files import (
    GATES_FILE,
    HISTORY_FILE,
    SENSITIVITY_FILE,
)
from pipeline.training.fit import fit, known_examples, training_steps
from pipeline.training.input.batches import read_batches
from pipeline.training.loop.stop_signal import StopSignal
from pipeline.training.optimizers.build import build_optimizer
from pipeline.training.optimizers.schedules import learning_rate
from pipeline.training.repeatable import make_repeatable
from pipeline.training.strategies.build import (
    build_strategy,
    is_chief,
    learning_rate_factor,
)
from pipeline.training.strategies.trained_weights import (
    copy_by_checkpoint,
    copy_weights,
)
from pipeline.training.strategies.workers import lost_workers_named, wait_for_all
from pipeline.training.warm_start.start import epochs_from
from pipeline.training.warm_start.weight_files import weights_folder, write_weights


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
    config = _with_epochs(
        TrainerPart.model_validate_json(custom["config"]), fn_args.base_model
    )
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    make_repeatable(config.training)
    tf_keras.mixed_precision.set_global_policy(config.model.mixed_precision)
    settings = config.training.strategy
    strategy = build_strategy(settings)
    examples = known_examples(fn_args, config.training)
    factor = learning_rate_factor(settings, strategy.num_replicas_in_sync)
    rate = learning_rate(
        config.training.schedule,
        factor * config.training.learning_rate,
        None if examples is None else training_steps(examples, config.training),
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
        checkpoints, history = fit(
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
            write_weights(
                model.trainable_variables,
                config,
                transform_output,
                weights_folder(fn_args.serving_model_dir),
            )
            checkpoints.remove()
        wait_for_all(strategy)


def _with_epochs(config: TrainerPart, base_model: str | None) -> TrainerPart:
    """The configuration with as many epochs as this training has."""
    epochs = epochs_from(base_model, config.training)
    training = config.training.model_copy(update={"epochs": epochs})
    return config.model_copy(update={"training": training})


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


def _write_json(path: Path, value: Any) -> None:
    with tf.io.gfile.GFile(str(path), "w") as file:
        json.dump(value, file, indent=1)
