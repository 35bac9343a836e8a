"""A share of the answered Predict requests, as TensorFlow Serving's `PredictionLog`s.

A request is never slowed down or refused because of it: what the writer's thread has no
room or no disk for is dropped and counted.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import Counter
from tensorflow_serving.apis import prediction_log_pb2

from serving.protocol.tensor_proto import write_tensor
from serving.protocol.tensor_spec import Array
from serving.server.metrics import ServingMetrics
from serving.server.prediction.predictor import Lease
from serving.server.request_log.log_files import DISK_ERRORS, LogFiles
from serving.server.settings.server_options import ServerOptions

_LOG = logging.getLogger(__name__)
QUEUE, DISK = "queue", "disk"
_CLOSING_S = 10.0  # a disk that hangs must not keep the server from ending


@dataclass(frozen=True)
class LogLimits:
    """What the log may take.

    Attributes:
        waiting_bytes: Most bytes of requests that wait to be written.
        file_bytes: A file of this size is finished.
        file_s: And one that was begun so many seconds ago.
        retry_s: Seconds from an error of the disk to the next attempt to write.
    """

    waiting_bytes: int = 64 * 2**20
    file_bytes: int = 64 * 2**20
    file_s: float = 600.0
    retry_s: float = 60.0


@dataclass(frozen=True)
class AnsweredRequest:
    """A Predict request, without what answered: a version need not stay loaded.

    Attributes:
        model: The name of the model that answered.
        version: Its version.
        signature: Its signature.
        inputs: Arrays by input name; bytes objects for strings.
        output_filter: The outputs that were asked for; empty for all.
    """

    model: str
    version: int
    signature: str
    inputs: Mapping[str, Array]
    output_filter: Sequence[str] = ()

    @classmethod
    def of(
        cls,
        lease: Lease,
        inputs: Mapping[str, Array],
        output_filter: Sequence[str] = (),
    ) -> AnsweredRequest:
        """The request that a lease answered."""
        version, signature = lease.version.number, lease.signature.name
        return cls(lease.model, version, signature, inputs, output_filter)


class RequestLog:
    """Draws requests and writes them from a thread of its own.

    Args:
        folder: Where the files go.
        share: Of the requests that are logged, each drawn at random; from 0 to 1.
        metrics: Where logged and dropped requests are counted.
        limits: Of memory and files.
    """

    def __init__(
        self,
        folder: str | Path,
        share: float,
        metrics: ServingMetrics,
        limits: LogLimits | None = None,
    ):
        self._folder = folder
        self._share = share
        self._limits = limits = limits or LogLimits()
        self._files = LogFiles(folder, limits.file_bytes, limits.file_s)
        self._random = random.Random()
        self._queue: queue.SimpleQueue[tuple[AnsweredRequest, int] | None]
        self._queue = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._retry_at = 0.0
        self._told: set[str] = set()
        self._logged = Counter(
            "poso_request_log_requests",
            "Requests in finished files of the request log.",
            registry=metrics.registry,
        )
        self._dropped = Counter(
            "poso_request_log_dropped",
            "Requests drawn for the log and not in it: too many waited (queue), "
            "or the folder could not be written to (disk).",
            ["reason"],
            registry=metrics.registry,
        )
        for reason in (QUEUE, DISK):
            self._dropped.labels(reason)
        self._thread = threading.Thread(
            target=self._write_all, name="request-log", daemon=True
        )
        self._thread.start()

    def offer(self, request: AnsweredRequest, size_bytes: int) -> None:
        """Logs a request if it is drawn and there is room; never waits, never fails.

        Args:
            request: What was answered; its arrays are not changed any more.
            size_bytes: About the memory that it takes.
        """
        if self._random.random() >= self._share:
            return
        with self._lock:
            fits = self._waiting_bytes + size_bytes <= self._limits.waiting_bytes
            if fits:
                self._waiting_bytes += size_bytes
        if fits:
            self._queue.put((request, size_bytes))
        else:
            self._drop(QUEUE, 1, "requests come faster than they are written")

    def close(self) -> None:
        """Writes what waits, finishes the file and ends the thread."""
        self._queue.put(None)
        self._thread.join(_CLOSING_S)
        if self._thread.is_alive():
            _LOG.warning("the request log in %s cannot be finished", self._folder)

    def _write_all(self) -> None:
        while True:
            try:
                item = self._queue.get(timeout=self._files.due_in_s)
            except queue.Empty:
                self._finish()
                continue
            if item is None:
                break
            request, size_bytes = item
            self._write(request)
            with self._lock:
                self._waiting_bytes -= size_bytes
            if self._files.is_due:
                self._finish()
        self._finish()

    def _write(self, request: AnsweredRequest) -> None:
        if time.monotonic() < self._retry_at:
            self._dropped.labels(DISK).inc()
            return
        try:
            self._files.write(_prediction_log(request, self._share))
        except DISK_ERRORS as error:
            self._fail(error, 1)

    def _finish(self) -> None:
        try:
            self._logged.inc(self._files.finish())
        except DISK_ERRORS as error:
            self._fail(error, 0)

    def _fail(self, error: Exception, unwritten: int) -> None:
        self._retry_at = time.monotonic() + self._limits.retry_s
        self._drop(DISK, self._files.abandon() + unwritten, str(error))

    def _drop(self, reason: str, count: int, why: str) -> None:
        self._dropped.labels(reason).inc(count)
        if reason not in self._told:
            self._told.add(reason)
            _LOG.warning(
                "requests are missing in the request log in %s, and will be counted as "
                'poso_request_log_dropped_total{reason="%s"} alone: %s',
                self._folder,
                reason,
                why,
            )


def request_log_of(
    options: ServerOptions, metrics: ServingMetrics
) -> RequestLog | None:
    """The log that a server's options ask for; None without a folder or a share."""
    if options.request_log is None or not options.request_log_share:
        return None
    return RequestLog(options.request_log, options.request_log_share, metrics)


def _prediction_log(request: AnsweredRequest, share: float) -> bytes:
    log = prediction_log_pb2.PredictionLog()
    log.log_metadata.sampling_config.sampling_rate = share
    answered_by = log.log_metadata.model_spec
    answered_by.name = request.model
    answered_by.version.value = request.version
    answered_by.signature_name = request.signature
    message = log.predict_log.request
    message.model_spec.name = request.model
    message.model_spec.signature_name = request.signature
    for name, array in request.inputs.items():
        write_tensor(array, message.inputs[name])
    message.output_filter.extend(request.output_filter)
    serialized: bytes = log.SerializeToString()
    return serialized
