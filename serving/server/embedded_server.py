"""The embedded server: models over gRPC and REST, in this process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any

from serving.protocol.errors import ServingError
from serving.server.batching.batch_metrics import BatchMetrics
from serving.server.batching.parameters import BatchingParameters
from serving.server.listeners import ListenError, Listeners, ServerOptions
from serving.server.metrics import ServingMetrics
from serving.server.models.background_load import dedicate_process
from serving.server.models.counted_loading import counted_loader
from serving.server.models.model_config import (
    ModelConfig,
    one_model,
    read_model_configs,
)
from serving.server.models.model_store import ModelSpec, ModelStore
from serving.server.models.model_watcher import ModelWatcher
from serving.server.models.version_loading import load_and_warm_up
from serving.server.models.version_policy import LatestVersions
from serving.server.prediction.predictor import Predictor
from serving.server.settings.monitoring_config import MonitoringConfig
from serving.server.settings.tls_config import TlsConfig

_LOG = logging.getLogger(__name__)


class EmbeddedServer:
    """Serves models from a thread of its own, and follows their folders.

    Args:
        model_dir: One model's folder of numbered version folders; or give `models`.
        name: That model's name in requests.
        grpc_port: 0 picks a free one; `grpc_port` tells which, once started.
        rest_port: Likewise.
        host: Address to listen on.
        num_versions: How many of the newest versions of `model_dir` to serve.
        models: Several models: their configurations, or the path of a `models.config`
            file as TensorFlow Serving reads it.
        poll_s: Seconds between two looks for new versions; 0 looks at the start alone.
        config_poll_s: Seconds between two readings of the `models.config` file; 0 reads
            it at the start alone.
        allow_version_labels_for_unavailable_models: Whether a label that is new may
            name a version that is not loaded; needed for labels at the start.
        workers: Threads that run requests; None takes the number of cores less one, for
            the thread that receives and answers them.
        max_request_bytes: Largest request taken by either protocol.
        max_in_flight: Most predictions answered at once, over both protocols; more
            are refused as UNAVAILABLE. Times `max_request_bytes`, it bounds the memory
            that requests take.
        rest_timeout_s: Seconds that a REST request's body, and then its answer, may
            take; gRPC's clients set their own deadlines.
        idle_s: Seconds after which a REST connection without a whole request is closed.
        drain_s: Seconds that `stop` leaves to requests in flight.
        batching: How requests are merged into batches; None runs each on its own.
        tls: Certificates of both ports; None for plain text.
        monitoring: Whether and where Prometheus finds metrics; None for the REST
            port's `/monitoring/prometheus/metrics`.

    Example:
        with EmbeddedServer("runs/demo/serving", grpc_port=0, rest_port=0) as server:
            client = RankingClient(grpc=f"127.0.0.1:{server.grpc_port}")
    """

    def __init__(
        self,
        model_dir: str | Path | None = None,
        name: str = "ranker",
        grpc_port: int = 8500,
        rest_port: int = 8501,
        host: str = "127.0.0.1",
        num_versions: int = 1,
        workers: int | None = None,
        max_request_bytes: int = 16 * 2**20,
        max_in_flight: int = 512,
        rest_timeout_s: float = 30.0,
        idle_s: float = 60.0,
        drain_s: float = 10.0,
        batching: BatchingParameters | None = None,
        tls: TlsConfig | None = None,
        monitoring: MonitoringConfig | None = None,
        models: Sequence[ModelConfig] | str | Path | None = None,
        poll_s: float = 1.0,
        config_poll_s: float = 0.0,
        allow_version_labels_for_unavailable_models: bool = False,
    ):
        if (model_dir is None) == (models is None):
            raise ValueError(
                "expected either model_dir or models, received "
                f"model_dir={model_dir!r} and models={models!r}"
            )
        self._models = models
        if model_dir is not None:
            self._models = [one_model(model_dir, name, LatestVersions(num_versions))]
        self._poll_s = poll_s
        self._config_poll_s = config_poll_s
        self._labels_need_no_version = allow_version_labels_for_unavailable_models
        self._workers = workers or max(1, (os.cpu_count() or 1) - 1)
        self._batching = batching
        self._options = ServerOptions(
            host=host,
            grpc_port=grpc_port,
            rest_port=rest_port,
            max_request_bytes=max_request_bytes,
            max_in_flight=max_in_flight,
            rest_timeout_s=rest_timeout_s,
            idle_s=idle_s,
            drain_s=drain_s,
            tls=tls,
            monitoring=monitoring or MonitoringConfig(),
        )
        self.grpc_port = grpc_port
        self.rest_port = rest_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> EmbeddedServer:
        """Loads the model, runs its warm-up requests and listens.

        Raises:
            ModelLoadError: If a model has no version that loads.
            ModelConfigError: If a `models.config` file cannot be used.
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
            ModelConfigError: If a `models.config` file cannot be used.
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
        models, config_file = self._models, None
        if isinstance(models, str | Path):
            config_file = models
            models = read_model_configs(config_file)
        metrics = ServingMetrics()
        load = counted_loader(load_and_warm_up, metrics)
        store = ModelStore(models or (), self._labels_need_no_version, load=load)
        metrics.count_by_name(lambda model: _is_served(store, model))
        watcher = ModelWatcher(store, self._poll_s, config_file, self._config_poll_s)
        predictor = Predictor(
            store, self._workers, self._batching, BatchMetrics(metrics).record
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
        listeners = Listeners(predictor, metrics, self._options)
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


def _is_served(store: ModelStore, model: str) -> bool:
    try:
        return bool(store.states(ModelSpec(model)))
    except ServingError:
        return False


def serve_forever(model_dir: str | Path | None = None, **options: Any) -> None:
    """Serves until SIGTERM or SIGINT, then finishes requests in flight and returns.

    Logs go to standard error unless logging is configured.

    Args:
        model_dir: Folder of numbered version folders.
        options: Those of `EmbeddedServer`.

    Raises:
        ModelLoadError: If a model has no version that loads.
        ModelConfigError: If a `models.config` file cannot be used.
        ListenError: If a port cannot be listened on.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    # It has handlers of its own, and says each thing twice.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
    EmbeddedServer(model_dir, **options).run()
