"""The embedded server: one model over gRPC and REST, in this process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType

from serving.batching_config import BatchingParameters
from serving.listeners import ListenError, Listeners, ServerOptions
from serving.model_store import ModelStore
from serving.prediction import Predictor

_LOG = logging.getLogger(__name__)


class EmbeddedServer:
    """Serves a folder of model versions from a thread of its own.

    Args:
        model_dir: Folder of numbered version folders; the newest that loads is served,
            the others by number.
        name: The model's name in requests.
        grpc_port: 0 picks a free one; `grpc_port` tells which, once started.
        rest_port: Likewise.
        host: Address to listen on.
        num_versions: How many of the newest versions to load; None loads all.
        workers: Threads that run requests; None takes the number of cores.
        max_request_bytes: Largest request taken by either protocol.
        drain_s: Seconds that `stop` leaves to requests in flight.
        batching: How requests are merged into batches; None runs each on its own.

    Example:
        with EmbeddedServer("runs/demo/serving", grpc_port=0, rest_port=0) as server:
            client = RankingClient(grpc=f"127.0.0.1:{server.grpc_port}")
    """

    def __init__(
        self,
        model_dir: str | Path,
        name: str = "ranker",
        grpc_port: int = 8500,
        rest_port: int = 8501,
        host: str = "127.0.0.1",
        num_versions: int | None = None,
        workers: int | None = None,
        max_request_bytes: int = 64 * 2**20,
        drain_s: float = 10.0,
        batching: BatchingParameters | None = None,
    ):
        self._model_dir = str(model_dir)
        self._name = name
        self._num_versions = num_versions
        self._workers = workers or os.cpu_count() or 1
        self._batching = batching
        self._options = ServerOptions(
            host, grpc_port, rest_port, max_request_bytes, drain_s
        )
        self.grpc_port = grpc_port
        self.rest_port = rest_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> EmbeddedServer:
        """Loads the model, runs its warm-up requests and listens.

        Raises:
            ModelLoadError: If no version loads.
            ListenError: If a port cannot be listened on.
            RuntimeError: If the server is running.
        """
        if self._thread is not None:
            raise RuntimeError("the server is already running")
        predictor = self._load()
        ready: Future[None] = Future()
        thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(predictor, ready)),
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
            ModelLoadError: If no version loads.
            ListenError: If a port cannot be listened on.
        """
        asyncio.run(self._serve_until_signal(self._load()))

    def __enter__(self) -> EmbeddedServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _load(self) -> Predictor:
        store = ModelStore(self._model_dir, self._name, self._num_versions)
        return Predictor(store, self._workers, self._batching)

    async def _serve_until_signal(self, predictor: Predictor) -> None:
        ready: Future[None] = Future()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        await self._serve(predictor, ready)
        ready.result()

    def _on_signal(self, number: signal.Signals) -> None:
        _LOG.info("received %s", number.name)
        if self._stop is not None:
            self._stop.set()

    async def _serve(self, predictor: Predictor, ready: Future[None]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listeners = Listeners(predictor, self._options)
        try:
            self.grpc_port, self.rest_port = await listeners.start()
        except Exception as error:
            ready.set_exception(error)
        else:
            _LOG.info(
                "serving %s of %s on %s, gRPC port %d, REST port %d",
                self._name,
                self._model_dir,
                self._options.host,
                self.grpc_port,
                self.rest_port,
            )
            ready.set_result(None)
            await self._stop.wait()
            _LOG.info("finishing requests in flight")
            predictor.drain()
            await listeners.stop()
        finally:
            predictor.close()


def serve_forever(
    model_dir: str | Path,
    name: str = "ranker",
    grpc_port: int = 8500,
    rest_port: int = 8501,
    host: str = "127.0.0.1",
    batching: BatchingParameters | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then finishes requests in flight and returns.

    The arguments are those of `EmbeddedServer`. Logs go to standard error unless
    logging is configured.

    Raises:
        ModelLoadError: If no version loads.
        ListenError: If a port cannot be listened on.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    EmbeddedServer(model_dir, name, grpc_port, rest_port, host, batching=batching).run()
