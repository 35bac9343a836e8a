"""A training's settings and curves in MLflow, an optional package."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import tf_keras

from pipeline.config import MLflowConfig, TrainerPart
from pipeline.progress import report_progress

_TRAINING = "poso.training"  # the tag by which a training finds its run again

# What a server takes: parameters in one request, letters of a parameter.
_BATCH, _LONGEST = 100, 500


class MLflowRun(tf_keras.callbacks.Callback):
    """Logs parameters, and at each epoch's end the metrics, to a run of MLflow.

    A training that was killed goes on in the run that it had begun. Where the server
    does not answer, a training that has not begun fails, and any other goes on without.

    Args:
        config: What training reads of the configuration; its leaves are the parameters.
        name: What is being trained; the run's name.
        identity: The same for a training and its continuation, and for no other.

    Raises:
        ImportError: MLflow is not installed.
    """

    def __init__(self, config: TrainerPart, name: str, identity: str):
        super().__init__()
        self._mlflow = _mlflow(config.training.mlflow)
        self._settings = config.training.mlflow
        self._parameters = dict(_leaves(config.model_dump(mode="json")))
        self._name = name
        self._identity = identity
        self._run_id = ""

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Begins a run, or goes on with one.

        Raises:
            ConnectionError: The server does not take the run, and nothing is trained.
        """
        if int(self.model.optimizer.iterations.numpy()):
            with self._worth_less_than_the_training():
                self._begin()
            return
        try:
            self._begin()
        except Exception as error:
            raise ConnectionError(
                f"training.mlflow.tracking_uri {self._settings.tracking_uri} cannot be "
                f"logged to: {_first_line(error)}"
            ) from error

    def _begin(self) -> None:
        settings = self._settings
        self._client = self._mlflow.MlflowClient(tracking_uri=settings.tracking_uri)
        experiment = self._client.get_experiment_by_name(settings.experiment)
        experiment_id = (
            self._client.create_experiment(settings.experiment)
            if experiment is None
            else experiment.experiment_id
        )
        begun = self._client.search_runs(
            [experiment_id],
            f"tags.`{_TRAINING}` = '{self._identity}' "
            "and attributes.status = 'RUNNING'",
            max_results=1,
        )
        if begun:
            self._run_id = begun[0].info.run_id
        else:
            run = self._client.create_run(
                experiment_id, tags={_TRAINING: self._identity}, run_name=self._name
            )
            self._run_id = run.info.run_id
            self._log_parameters()
        report_progress(
            f"{self._name}: MLflow run {self._run_id} of experiment "
            f"'{settings.experiment}' at {settings.tracking_uri}"
        )

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Logs what the epoch's logs hold, but no GAUC that is undefined."""
        if not self._run_id:
            return
        now_ms = time.time_ns() // 1_000_000
        metrics = [
            self._mlflow.entities.Metric(name, float(value), now_ms, epoch + 1)
            for name, value in (logs or {}).items()
            if not math.isnan(float(value))
        ]
        with self._worth_less_than_the_training():
            self._client.log_batch(self._run_id, metrics=metrics)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Ends the run."""
        if not self._run_id:
            return
        with self._worth_less_than_the_training():
            self._client.set_terminated(self._run_id)

    @contextmanager
    def _worth_less_than_the_training(self) -> Iterator[None]:
        """Says in a line what MLflow could not take, and goes on."""
        try:
            yield
        except Exception as error:  # also those of what MLflow reaches its store by
            report_progress(f"{self._name}: not logged to MLflow: {_first_line(error)}")

    def _log_parameters(self) -> None:
        leaves = list(self._parameters.items())
        for start in range(0, len(leaves), _BATCH):
            self._client.log_batch(
                self._run_id,
                params=[
                    self._mlflow.entities.Param(key, str(value)[:_LONGEST])
                    for key, value in leaves[start : start + _BATCH]
                ],
            )


def _mlflow(settings: MLflowConfig) -> ModuleType:
    try:
        import mlflow
        import mlflow.entities
    except ImportError as error:
        raise ImportError(
            "training.mlflow needs the package mlflow: pip install 'poso[mlflow]', or "
            f"leave training.mlflow out. Received: {settings.tracking_uri!r}"
        ) from error
    return mlflow


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).split("\n", 1)[0]


def _leaves(tree: Any, place: str = "") -> Any:
    """The values of a nested mapping, by `section.key`; lists are values."""
    if not isinstance(tree, dict):
        yield place, tree
        return
    for key, value in tree.items():
        yield from _leaves(value, f"{place}.{key}" if place else key)
