"""The load's process: callers that send ready-made bytes and take the time of answers.

Run as a script, it reads a `Load` from standard input and writes a `Served`, both as
JSON. It imports neither TensorFlow nor protocol buffers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Send = Callable[[bytes], Awaitable[None]]
_PREDICT = "/tensorflow.serving.PredictionService/Predict"


@dataclass(frozen=True)
class Part:
    """One kind of request in a load.

    Attributes:
        protocol: `grpc` or `rest`.
        body: Its bytes.
        weight: How often it is sent, relative to the others.
    """

    protocol: str
    body: bytes
    weight: float = 1.0


@dataclass(frozen=True)
class Load:
    """What to send.

    Attributes:
        grpc_port: Where the server listens.
        rest_port: Likewise.
        parts: Kinds of requests; each request is drawn from them.
        callers: Requests at a time: each caller waits for its answer.
        seconds: How long.
        rate: Requests a second, sent without waiting at random times (a Poisson
            process), instead of callers; a late answer delays no request.
    """

    grpc_port: int
    rest_port: int
    parts: Sequence[Part]
    callers: int
    seconds: float
    rate: float | None = None


@dataclass
class Served:
    """What came back.

    Attributes:
        seconds: From the first request to the last answer.
        answers: For each answer, seconds from the start at which it was asked for, and
            seconds it took. Under a rate, it is asked for when it is due.
        errors: Failed requests by what was said.
    """

    seconds: float = 0.0
    answers: list[tuple[float, float]] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.answers) / self.seconds

    def quantile(self, share: float, since: float = 0.0, until: float = 1e9) -> float:
        """Seconds within which that share of answers came, of those asked for then."""
        times = sorted(took for at, took in self.answers if since <= at < until)
        return times[min(int(share * len(times)), len(times) - 1)]


def start_load(load: Load) -> Callable[[], Served]:
    """Starts a load; the returned function waits for its end.

    Raises:
        RuntimeError: From the returned function, if the load's process fails.
    """
    job = asdict(load)
    for part in job["parts"]:
        part["body"] = base64.b64encode(part["body"]).decode()
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    process.stdin = None

    def result() -> Served:
        output, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(f"the load's process ended with {process.returncode}")
        return Served(**json.loads(output))

    return result


def run_load(load: Load) -> Served:
    """Sends a load and waits for its end."""
    return start_load(load)()


async def _send_all(load: Load) -> Served:
    served, errors = Served(), Counter[str]()
    draw = random.Random(0)
    weights = [part.weight for part in load.parts]
    async with _Senders(load) as senders:
        for part in load.parts:  # opens the connections
            await senders.of(part)(part.body)
        start = time.perf_counter()

        async def one(asked_at: float) -> None:
            (part,) = draw.choices(load.parts, weights)
            try:
                await senders.of(part)(part.body)
            except Exception as error:
                errors[f"{type(error).__name__}: {error}"[:300]] += 1
            else:
                took = time.perf_counter() - start - asked_at
                served.answers.append((asked_at, took))

        async def caller() -> None:
            while (now := time.perf_counter() - start) < load.seconds:
                await one(now)

        if load.rate is None:
            await asyncio.gather(*(caller() for _ in range(load.callers)))
        else:
            await _at_rate(one, load.rate, load.seconds, start)
        served.seconds = time.perf_counter() - start
    served.errors = dict(errors)
    return served


async def _at_rate(
    one: Callable[[float], Awaitable[None]], rate: float, seconds: float, start: float
) -> None:
    draw = random.Random(1)
    due, tasks = 0.0, []
    while (due := due + draw.expovariate(rate)) < seconds:
        await asyncio.sleep(max(0.0, start + due - time.perf_counter()))
        tasks.append(asyncio.ensure_future(one(due)))
    await asyncio.gather(*tasks)


class _Senders:
    """A gRPC channel and an HTTP session, kept open."""

    def __init__(self, load: Load):
        self._load = load

    async def __aenter__(self) -> _Senders:
        import aiohttp
        import grpc

        load = self._load
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{load.grpc_port}")
        self._predict = self._channel.unary_unary(_PREDICT)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), raise_for_status=True
        )
        self._url = f"http://127.0.0.1:{load.rest_port}/v1/models/ranker:predict"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._channel.close()

    def of(self, part: Part) -> Send:
        return self._send_grpc if part.protocol == "grpc" else self._send_rest

    async def _send_grpc(self, body: bytes) -> None:
        await self._predict(body)

    async def _send_rest(self, body: bytes) -> None:
        async with self._session.post(self._url, data=body) as response:
            await response.read()


def _load(job: dict[str, Any]) -> Load:
    parts = [
        Part(**{**part, "body": base64.b64decode(part["body"])})
        for part in job.pop("parts")
    ]
    return Load(parts=parts, **job)


if __name__ == "__main__":
    json.dump(asdict(asyncio.run(_send_all(_load(json.load(sys.stdin))))), sys.stdout)
