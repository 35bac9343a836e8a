"""A trial of a model in a server, with real requests, before it is pushed.

The embedded server is started on the model in a process of its own. Sampled impressions
are sent to each signature over gRPC and REST; the answers must be the scores that the
model gives in this process, and come in time.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline.config import TrialPart
from pipeline.evaluation.scores import exported_model
from pipeline.examples.example_files import sample_examples
from pipeline.model.export import raw_columns
from pipeline.validation.rank_requests import read_rows
from pipeline.validation.trial_process import PendingServer, TrialError, trial_process
from serving.client.ranking_client import RankingClient
from serving.export.signatures import RawColumn
from serving.protocol.errors import ServingError

RESULT_FILE = "trial.json"
PROTOCOLS = ("grpc", "rest")

_SEED = 11


@dataclass
class TrialResult:
    """The result of a trial.

    Attributes:
        requests: Requests that were answered.
        ready_s: Seconds from the start of the server until it was ready.
        max_difference: Largest difference between an answer and the model's own score.
        p50_ms: Median latency by `signature over protocol`.
        p99_ms: 99th percentile likewise.
        problems: Why the model must not be pushed; empty if it may.
    """

    requests: int = 0
    ready_s: float = 0.0
    max_difference: float = 0.0
    p50_ms: dict[str, float] = field(default_factory=dict)
    p99_ms: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether the model may be pushed."""
        return not self.problems

    def write(self, folder: str) -> None:
        """Writes `trial.json`."""
        text = json.dumps({"passed": self.passed, **asdict(self)}, indent=1)
        with tf.io.gfile.GFile(os.path.join(folder, RESULT_FILE), "w") as file:
            file.write(text)


@dataclass(frozen=True)
class _TrialRequest:
    """A request and the expected scores [rows, T]."""

    signature: str
    inputs: dict[str, Any]
    expected: np.ndarray


def try_in_server(config: TrialPart, model_dir: str, split_dir: str) -> TrialResult:
    """Starts the server, sends requests and compares the answers.

    Args:
        config: What the trial reads; `serving.validation` has the limits.
        model_dir: The SavedModel.
        split_dir: A split of raw examples to sample requests from.

    Returns:
        The result; whatever goes wrong with the model or its server is a problem in
        it, not an error.
    """
    settings = config.serving.validation
    result = TrialResult()
    started = time.monotonic()
    with trial_process(
        model_dir, config.serving.model_name, settings.start_timeout_s
    ) as pending:
        try:
            # Made while the server starts.
            requests = _trial_requests(config, model_dir, split_dir)
            _send_all(config, requests, pending, started, result)
        except (TrialError, ServingError, tf.errors.OpError) as error:
            result.problems.append(str(error))
    return result


def _send_all(
    config: TrialPart,
    requests: list[_TrialRequest],
    pending: PendingServer,
    started: float,
    result: TrialResult,
) -> None:
    server = pending.ready()
    result.ready_s = round(time.monotonic() - started, 2)
    settings = config.serving.validation
    for protocol in PROTOCOLS:
        address = {protocol: getattr(server, protocol)}
        latencies: dict[str, list[float]] = {}
        with RankingClient(name=config.serving.model_name, **address) as client:
            client.metadata()  # asked for once, not part of a request's time
            for request in requests:
                sent = time.perf_counter()
                answer = client.predict(request.inputs, request.signature)
                taken = 1e3 * (time.perf_counter() - sent)
                latencies.setdefault(request.signature, []).append(taken)
                _compare(request, answer, protocol, config, result)
                result.requests += 1
        for signature, values in latencies.items():
            way = f"{signature} over {protocol}"
            result.p50_ms[way] = round(float(np.percentile(values, 50)), 2)
            result.p99_ms[way] = round(float(np.percentile(values, 99)), 2)
            if result.p99_ms[way] > settings.max_p99_ms:
                result.problems.append(
                    f"{way}: the 99th percentile of the latency is "
                    f"{result.p99_ms[way]:.0f} ms; at most {settings.max_p99_ms:g} ms "
                    "are allowed"
                )


def _compare(
    request: _TrialRequest,
    answer: dict[str, np.ndarray],
    protocol: str,
    config: TrialPart,
    result: TrialResult,
) -> None:
    """Adds at most one problem per signature and protocol, if the scores differ."""
    way = f"{request.signature} over {protocol}"
    scores = (
        answer["scores"]
        if request.signature == "rank"
        else np.stack([answer[task] for task in config.task_names], axis=-1)
    )
    if scores.shape != request.expected.shape:
        difference = float("inf")
    else:
        difference = float(np.max(np.abs(scores - request.expected)))
    if not np.isfinite(difference):
        difference = float("inf")
    result.max_difference = max(result.max_difference, difference)
    limit = config.serving.validation.max_score_difference
    known = any(problem.startswith(f"{way}: scores") for problem in result.problems)
    if difference > limit and not known:
        result.problems.append(
            f"{way}: scores differ by {difference:.2g} from those of the model in "
            f"process; at most {limit:g} is allowed"
        )


def _trial_requests(
    config: TrialPart, model_dir: str, split_dir: str
) -> list[_TrialRequest]:
    settings = config.serving.validation
    columns = raw_columns(config)
    sample = sample_examples(split_dir, settings.requests, _SEED)
    rows = read_rows(columns, [tf.constant(sample)])
    score = _Scorer(model_dir, config.task_names)
    of_sample = score(sample)
    requests = []
    for index, (example, row) in enumerate(zip(sample, rows, strict=True)):
        expected = of_sample[index : index + 1]
        requests.append(
            _TrialRequest("serving_default", {"examples": [example]}, expected)
        )
        dense = {c.name: [row[c.name]] for c in columns}
        requests.append(_TrialRequest("predict_raw", dense, expected))
        chosen = _candidates(index, len(sample), settings.candidates)
        tiled = [_of_user(example, sample[place], columns) for place in chosen]
        ranked = {
            c.name: [rows[place][c.name] for place in chosen]
            if c.candidate
            else [row[c.name]]
            for c in columns
        }
        requests.append(_TrialRequest("rank", ranked, score(tiled)))
    return requests


class _Scorer:
    """A SavedModel's scores [rows, T] of serialized examples, in this process."""

    def __init__(self, model_dir: str, tasks: Sequence[str]):
        self._model, self._tasks = exported_model(model_dir), tasks

    def __call__(self, examples: Sequence[bytes]) -> np.ndarray:
        scores = self._model.score(tf.constant(examples))
        return np.stack([scores[task] for task in self._tasks], -1)


def _candidates(index: int, rows: int, count: int) -> list[int]:
    """Places of the videos to rank for a user: those of the next rows."""
    places: Iterator[int] = itertools.cycle(range(rows))
    start = itertools.islice(places, index, None)
    return list(itertools.islice(start, count))


def _of_user(user: bytes, video: bytes, columns: list[RawColumn]) -> bytes:
    """An example with the candidate's columns of one and the others of another."""
    example = tf.train.Example.FromString(user)
    other = tf.train.Example.FromString(video).features.feature
    for column in columns:
        if column.candidate:
            example.features.feature.pop(column.name, None)
            if column.name in other:
                example.features.feature[column.name].CopyFrom(other[column.name])
    return example.SerializeToString()
