"""`run_fn`: trains the ranking model and exports it (TFX Trainer).

Two nodes of the pipeline run it: one trains the configured model, the other the plain
baseline. Both write `history.json` (learning curves) and `sensitivity.json` (Fig. 1b)
and the configured model also `gates.json` (Fig. 4) beside the model's run artifacts,
for the report.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import TrainerPart
from pipeline.model.embeddings import GAP_BUCKETS
from pipeline.model.export import export_model
from pipeline.model.ranking_model import RankingModel
from pipeline.training.batches import read_batches
from pipeline.training.callbacks import training_callbacks
from pipeline.training.diagnostics import gate_profile, input_sensitivity
from pipeline.training.optimizers import build_optimizer, create_optimizer_variables
from pipeline.training.run_files import GATES_FILE, HISTORY_FILE, SENSITIVITY_FILE
from pipeline.training.strategies import build_strategy
from preprocessing.transform.graph import embedding_rows
from preprocessing.transform.input_specs import input_specs


def run_fn(fn_args: FnArgs) -> None:
    """Trains and exports, as TFX calls it.

    Args:
        fn_args: File patterns and folders from TFX; `custom_config` holds `config`, a
            `TrainerPart` as JSON, and `checkpoint_dir`, under which a killed training
            leaves what it had reached.
    """
    custom = fn_args.custom_config
    config = TrainerPart.model_validate_json(custom["config"])
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    tf_keras.utils.set_random_seed(config.training.seed)
    tf_keras.mixed_precision.set_global_policy(config.model.mixed_precision)
    strategy = build_strategy(config.training.strategy)
    with strategy.scope():
        model = build_model(config, transform_output)
        model.compile(optimizer=build_optimizer(config.training, model))
    history = _fit(model, config, transform_output, fn_args)
    run_dir = Path(fn_args.model_run_dir)
    _write_json(run_dir / HISTORY_FILE, history)
    profile = gate_profile(model, config)
    if profile:
        _write_json(run_dir / GATES_FILE, profile)
    evaluation = read_batches(
        fn_args.eval_files, transform_output, config.training.batch_size
    )
    sensitivity = input_sensitivity(model, config, evaluation)
    _write_json(run_dir / SENSITIVITY_FILE, sensitivity.to_dict())
    export_model(model, transform_output, config, fn_args.serving_model_dir)


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
) -> dict[str, list[float]]:
    training = config.training
    train = read_batches(
        fn_args.train_files,
        transform_output,
        training.batch_size,
        shuffle_buffer=training.shuffle_buffer,
        seed=training.seed,
        drop_remainder=training.strategy.kind == "tpu",
    )
    evaluation = read_batches(fn_args.eval_files, transform_output, training.batch_size)
    _create_variables(model, train)
    history = model.fit(
        train,
        epochs=training.epochs,
        validation_data=evaluation,
        callbacks=training_callbacks(
            config,
            evaluation,
            name="plain baseline" if not config.model.poso.any else "model",
            checkpoint_dir=_checkpoint_dir(fn_args, config),
        ),
        verbose=0,
    )
    return {
        key: [float(value) for value in values]
        for key, values in history.history.items()
    }


def _create_variables(model: RankingModel, batches: tf.data.Dataset) -> None:
    """Makes all weights now; a training step that makes them is traced twice."""
    one_row = {name: tensor[:1] for name, tensor in next(iter(batches)).items()}
    with model.distribute_strategy.scope():
        model(one_row)
        create_optimizer_variables(model)


def _checkpoint_dir(fn_args: FnArgs, config: TrainerPart) -> str:
    """Of this data and this configuration alone: another run must not resume it."""
    identity = "\n".join(
        [config.model_dump_json(), fn_args.transform_graph_path, *fn_args.train_files]
    )
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    return os.path.join(fn_args.custom_config["checkpoint_dir"], digest)


def _write_json(path: Path, value: Any) -> None:
    with tf.io.gfile.GFile(str(path), "w") as file:
        json.dump(value, file, indent=1)
