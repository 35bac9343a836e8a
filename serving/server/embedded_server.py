"""The embedded server: models over gRPC and REST, in this process."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

from serving.protocol.errors import ServingError
from serving.server.batching.batch_metrics import BatchMetrics
from serving.server.listeners import Listeners
from serving.server.metrics import ServingMetrics
from serving.server.models.loading import (
    counted_loader,
    dedicate_process,
    load_and_warm_up,
)
from serving.server.models.model_config import (
    ModelConfig,
    one_model,
    read_model_configs,
)
from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.models.model_watcher import ModelWatcher
from serving.server.models.version_policy import LatestVersions
from serving.server.ports import ListenError
from serving.server.prediction.predictor import Predictor
from serving.server.request_log.request_log import request_log_of
from serving.server.settings.cores import usable_cores
from serving.server.settings.server_options import ServerOptions

_LOG = logging.getLogger(__name__)


class EmbeddedServer:
    """Serves models from a thread of its own, and follows their folders.

    Args:
        model_dir: One model's folder of numbered version folders; or give `models`.
        options: How it serves, from the model's name to certificates; None takes the
            defaults.
        models: Several models: their configurations, or the path of a `models.config`
            file as TensorFlow Serving reads it.

    Attributes:
        grpc_port: The port of gRPC, the one that was picked once the server runs.
        rest_port: Likewise.

    Example:
        with EmbeddedServer("runs/demo/serving", ServerOptions(grpc_port=0)) as server:
            client = RankingClient(grpc=f"127.0.0.1:{server.grpc_port}")
    """

    def __init__(
        self,
        model_dir: str | Path | None = None,
        options: ServerOptions | None = None,
        models: Sequence[ModelConfig] | str | Path | None = None,
    ):
        if (model_dir is None) == (models is None):
            raise ValueError(
                "expected either model_dir or models, received "
                f"model_dir={model_dir!r} and models={models!r}"
            )
        options = options or ServerOptions()
        self._options = options
        self._models = models
        if model_dir is not None:
            policy = LatestVersions(options.num_versions)
            self._models = [one_model(model_dir, options.name, policy)]
        self.grpc_port = options.grpc_port
        self.rest_port = options.rest_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> EmbeddedServer:
        """Loads the model, runs its warm-up requests and listens.

        Raises:
            ModelLoadError: If a model has no version that loads.
            ServerConfigError: If a `models.config` file cannot be used.
            ListenError: If a port cannot be listened on.
            RuntimeError: If the server is running.
        """
        if self._thread is not None:
            raise RuntimeError("the server is already running")
        loaded = self._load()
        ready: Future[None] = Future()
        thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(*loaded, ready)),
            name="embedded-server",
            daemon=True,
        )
        thread.start()
        try:
            ready.result()
        except ListenError:
            thread.join()
            raise
        self._thread = thread
        return self

    def stop(self) -> None:
        """Takes no more requests, finishes those in flight, and ends the thread."""
        if self._thread is None or self._loop is None or self._stop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def run(self) -> None:
        """Serves in the calling thread until SIGTERM or SIGINT, then drains.

        Raises:
            ModelLoadError: If a model has no version that loads.
            ServerConfigError: If a `models.config` file cannot be used.
            ListenError: If a port cannot be listened on.
        """
        dedicate_process()
        asyncio.run(self._serve_until_signal(*self._load()))

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _load(self) -> tuple[Predictor, ModelWatcher, ServingMetrics]:
        options, models, config_file = self._options, self._models, None
        if isinstance(models, str | Path):
            config_file = models
            models = read_model_configs(config_file)
        metrics = ServingMetrics()
        load = counted_loader(load_and_warm_up, metrics)
        store = ModelStore(
            models or (), options.allow_version_labels_for_unavailable_models, load=load
        )
        metrics.count_by_name(lambda model: _is_served(store, model))
        watcher = ModelWatcher(
            store, options.poll_s, config_file, options.config_poll_s
        )
        workers = options.workers or max(1, usable_cores() - 1)
        predictor = Predictor(
            store, workers, options.batching, BatchMetrics(metrics).record
        )
        metrics.show(
            "poso_requests_waiting_for_batch",
            "Requests that wait for a batch, or in one for a thread.",
            lambda: predictor.waiting_for_batch,
        )
        return predictor, watcher, metrics

    async def _serve_until_signal(
        self, predictor: Predictor, watcher: ModelWatcher, metrics: ServingMetrics
    ) -> None:
        ready: Future[None] = Future()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        await self._serve(predictor, watcher, metrics, ready)
        ready.result()

    def _on_signal(self, number: signal.Signals) -> None:
        _LOG.info("received %s", number.name)
        if self._stop is not None:
            self._stop.set()

    async def _serve(
        self,
        predictor: Predictor,
        watcher: ModelWatcher,
        metrics: ServingMetrics,
        ready: Future[None],
    ) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        request_log = request_log_of(self._options, metrics)
        listeners = Listeners(predictor, metrics, self._options, request_log)
        try:
            self.grpc_port, self.rest_port = await listeners.start()
        except Exception as error:
            ready.set_exception(error)
        else:
            watcher.start()
            _LOG.info(
                "serving %s on %s, gRPC port %d, REST port %d",
                ", ".join(config.name for config in predictor.store.configs),
                self._options.host,
                self.grpc_port,
                self.rest_port,
            )
            ready.set_result(None)
            await self._stop.wait()
            _LOG.info("finishing requests in flight")
            predictor.drain()
            await listeners.stop()
            await asyncio.to_thread(watcher.stop)
        finally:
            predictor.close()
            if request_log is not None:
                await asyncio.to_thread(request_log.close)


def _is_served(store: ModelStore, model: str) -> bool:
    try:
        return bool(store.states(ModelSpec(model)))
    except ServingError:
        return False


def serve_forever(
    model_dir: str | Path | None = None,
    options: ServerOptions | None = None,
    models: Sequence[ModelConfig] | str | Path | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then finishes requests in flight and returns.

    Logs go to standard error unless logging is configured. Arguments and errors are
    those of `EmbeddedServer` and its `run`.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    # It has handlers of its own, and says each thing twice.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    EmbeddedServer(model_dir, options, models).run()
