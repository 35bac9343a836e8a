"""What `benchmarks/serving.py` measures, each part by itself."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.interleaved import Spread, calls, measure
from benchmarks.report import Row, milliseconds, number_row
from benchmarks.serving_load.load import Load, Part, Served, run_load, start_load
from benchmarks.serving_load.payloads import Payload, Payloads, payloads
from benchmarks.serving_load.plain_tensorflow import plain_seconds
from benchmarks.serving_load.server import Server, running_server
from serving.server.models.saved_model import ModelVersion, load_version

FASTER_THAN_EXAMPLES, OF_IN_PROCESS, P99_TIMES, FASTER_BY_BATCHING = 3.0, 0.7, 4.0, 3.0
GROWTH = 1.05
CALLERS, MANY_CALLERS = 4, 64
ROUND_S, HALF_LOAD_S, SWAP_S = 3.0, 15.0, 30.0
BATCHING = """
max_batch_size { value: 64 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 100 }
num_batch_threads { value: 1 }
"""


@dataclass(frozen=True)
class Setting:
    """What is measured, and how long.

    Attributes:
        version_dir: The model's version folder.
        version: The same version, loaded in this process.
        request_file: Where the requests come from.
        payloads: The requests.
        candidates: Candidates of a `rank` request.
        repeats: Rounds of a ratio.
        soak_requests: Requests of the soak.
    """

    version_dir: Path
    version: ModelVersion
    request_file: Path
    payloads: Payloads
    candidates: int
    repeats: int
    soak_requests: int

    @classmethod
    def load(
        cls,
        version_dir: Path,
        request_file: Path,
        candidates: int,
        repeats: int,
        soak_requests: int,
    ) -> Setting:
        """Loads the model and makes the requests."""
        version = load_version(str(version_dir), int(version_dir.name))
        requests = payloads(request_file, version, candidates)
        return cls(
            version_dir,
            version,
            request_file,
            requests,
            candidates,
            repeats,
            soak_requests,
        )

    def call(self, payload: Payload) -> dict[str, np.ndarray]:
        """Answers a request in this process."""
        return self.version.signature(payload.signature).run(payload.inputs)


def signature_rows(setting: Setting) -> list[Row]:
    """`rank` against `serving_default` on the tiled examples, in process."""
    requests = setting.payloads
    _check_equal(setting)
    rounds = measure(
        {
            "rank": calls(lambda: setting.call(requests.rank)),
            "serving_default": calls(lambda: setting.call(requests.examples)),
            "predict_raw": calls(lambda: setting.call(requests.row)),
        },
        max_s=20.0,
    )
    times = {name: milliseconds(rounds.time(name).median) for name in rounds.seconds}
    plain_s = plain_seconds(
        setting.version_dir, setting.request_file, setting.candidates
    )
    rank_s = rounds.time("rank").median
    return [
        Row(
            "in process: serving_default / rank",
            rounds.ratio("serving_default", "rank"),
            FASTER_THAN_EXAMPLES,
            values=times,
        ),
        number_row(
            "in process: plain TensorFlow / rank",
            plain_s / rank_s,
            values={"plain": milliseconds(plain_s), "rank": milliseconds(rank_s)},
        ),
    ]


def grpc_rows(setting: Setting) -> list[Row]:
    """`rank` over gRPC against the same in process, and its latency at half load."""
    rank = setting.payloads.rank
    part = Part("grpc", rank.grpc())
    in_process: list[float] = []
    served: list[Served] = []
    with running_server(setting.version_dir.parent) as server:
        _run(server, [part], 1.0)  # warms up
        for _ in range(setting.repeats):
            in_process.append(_seconds_a_call(setting, rank))
            served.append(_run(server, [part]))
        rate = statistics.median(one.rate for one in served)
        half = _run(server, [part], HALF_LOAD_S, rate=rate / 2)
    rates = np.array([one.rate for one in served])
    median_s = statistics.median(in_process)
    p99_s = half.quantile(0.99)
    return [
        Row(
            f"rank over gRPC, {CALLERS} callers / in process, rate",
            Spread.of(rates * in_process),
            OF_IN_PROCESS,
            values={"gRPC": f"{rate:,.0f}/s", "in process": f"{1 / median_s:,.0f}/s"},
        ),
        number_row(
            f"rank over gRPC, p99 at {rate / 2:,.0f}/s / in process, median",
            p99_s / median_s,
            P99_TIMES,
            at_least=False,
            values={
                "p99": milliseconds(p99_s),
                "p50": milliseconds(half.quantile(0.5)),
                "in process": milliseconds(median_s),
            },
        ),
        _failures("failed requests over gRPC", [*served, half]),
    ]


def rest_rows(setting: Setting) -> list[Row]:
    """`rank` over REST against gRPC."""
    rank = setting.payloads.rank
    parts = {"gRPC": Part("grpc", rank.grpc()), "REST": Part("rest", rank.rest())}
    return _rate_rows(
        setting, "rank, REST / gRPC, rate", "REST", "gRPC", parts, CALLERS
    )


def batching_rows(setting: Setting) -> list[Row]:
    """`predict_raw` of one row with micro-batching against without."""
    body = setting.payloads.row.grpc()
    model_dir = setting.version_dir.parent
    load = [Part("grpc", body)]
    rates: dict[str, list[float]] = {"batched": [], "one by one": []}
    all_served = []
    with (
        running_server(model_dir, BATCHING) as batched,
        running_server(model_dir) as alone,
    ):
        for _ in range(setting.repeats):
            for name, server in (("batched", batched), ("one by one", alone)):
                served = _run(server, load, callers=MANY_CALLERS)
                rates[name].append(served.rate)
                all_served.append(served)
    ratio = Spread.of(np.array(rates["batched"]) / rates["one by one"])
    return [
        Row(
            f"predict_raw, {MANY_CALLERS} callers: batched / one by one, rate",
            ratio,
            FASTER_BY_BATCHING,
            values={
                name: f"{statistics.median(values):,.0f}/s"
                for name, values in rates.items()
            },
        ),
        _failures("failed requests, batched and one by one", all_served),
    ]


def swap_rows(setting: Setting) -> list[Row]:
    """A new version comes while `rank` and `predict_raw` are asked for."""
    requests = setting.payloads
    parts = [Part("grpc", requests.rank.grpc()), Part("grpc", requests.row.grpc())]
    old = int(setting.version_dir.name)
    with tempfile.TemporaryDirectory() as folder:
        model_dir = Path(folder)
        shutil.copytree(setting.version_dir, model_dir / str(old))
        with running_server(model_dir) as server:
            _run(server, parts, 1.0)
            result = start_load(_load(server, parts, SWAP_S))
            started = time.monotonic()
            time.sleep(SWAP_S / 3)
            begin = time.monotonic() - started
            shutil.copytree(setting.version_dir, model_dir / str(old + 1))
            _wait_for_version(server, old + 1)
            end = time.monotonic() - started
            served = result()
    before, during = served.quantile(0.99, 1, begin), served.quantile(0.99, begin, end)
    return [
        _failures("failed requests under a version swap", [served]),
        number_row(
            "p99 from the copy to the swap / before",
            during / before,
            values={
                "during": milliseconds(during),
                "before": milliseconds(before),
                "copy to swap": f"{end - begin:.1f} s",
            },
        ),
    ]


def soak_rows(setting: Setting) -> list[Row]:
    """Memory after a mix of all requests against that after a tenth of them."""
    requests = setting.payloads
    parts = [
        Part("grpc", requests.rank.grpc(), 0.1),
        Part("grpc", requests.row.grpc(), 0.8),
        Part("rest", requests.row.rest(), 0.1),
    ]
    served: list[Served] = []
    sizes = []
    with running_server(setting.version_dir.parent, BATCHING) as server:
        for _ in range(2 * 60):
            served.append(_run(server, parts, 5.0, callers=MANY_CALLERS))
            sizes.append((_answers(served), server.resident_bytes()))
            if sizes[-1][0] >= setting.soak_requests:
                break
    early = next(size for done, size in sizes if done >= setting.soak_requests / 10)
    count, late = sizes[-1]
    return [
        number_row(
            f"memory after {count:,} requests / after a tenth",
            late / early,
            GROWTH,
            at_least=False,
            values={
                "late": f"{late / 1e6:,.0f} MB",
                "early": f"{early / 1e6:,.0f} MB",
                "rate": f"{count / sum(one.seconds for one in served):,.0f}/s",
            },
        ),
        _failures("failed requests in the soak", served),
    ]


def _rate_rows(
    setting: Setting,
    label: str,
    numerator: str,
    denominator: str,
    parts: dict[str, Part],
    callers: int,
) -> list[Row]:
    rates: dict[str, list[float]] = {name: [] for name in parts}
    served = []
    with running_server(setting.version_dir.parent) as server:
        for _ in range(setting.repeats):
            for name, part in parts.items():
                served.append(_run(server, [part], callers=callers))
                rates[name].append(served[-1].rate)
    ratio = Spread.of(np.array(rates[numerator]) / rates[denominator])
    values = {name: f"{statistics.median(rates[name]):,.0f}/s" for name in rates}
    return [Row(label, ratio, values=values), _failures(f"failed: {label}", served)]


def _load(
    server: Server, parts: Sequence[Part], seconds: float, callers: int = CALLERS
) -> Load:
    return Load(server.grpc_port, server.rest_port, parts, callers, seconds)


def _run(
    server: Server,
    parts: Sequence[Part],
    seconds: float = ROUND_S,
    callers: int = CALLERS,
    rate: float | None = None,
) -> Served:
    ports = (server.grpc_port, server.rest_port)
    return run_load(Load(*ports, parts, callers, seconds, rate))


def _seconds_a_call(setting: Setting, payload: Payload) -> float:
    """Median of the calls of half a round."""
    times = []
    end = time.perf_counter() + ROUND_S / 2
    while (start := time.perf_counter()) < end:
        setting.call(payload)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def _wait_for_version(server: Server, number: int) -> None:
    deadline = time.monotonic() + SWAP_S / 2
    while server.version_states().get(number) != "AVAILABLE":
        if time.monotonic() > deadline:
            raise RuntimeError(f"version {number} was not served in time")
        time.sleep(0.2)


def _failures(label: str, served: Sequence[Served]) -> Row:
    errors: dict[str, int] = {}
    for one in served:
        for message, count in one.errors.items():
            errors[message] = errors.get(message, 0) + count
    values = {"of": f"{_answers(served) + sum(errors.values()):,}"}
    values |= {message: str(count) for message, count in errors.items()}
    return number_row(label, sum(errors.values()), 0.0, at_least=False, values=values)


def _answers(served: Sequence[Served]) -> int:
    return sum(len(one.answers) for one in served)


def _check_equal(setting: Setting) -> None:
    """Raises if `rank` and `serving_default` score the same impressions differently."""
    ranked = setting.call(setting.payloads.rank)
    by_task = setting.call(setting.payloads.examples)
    for index, task in enumerate(ranked["tasks"].tolist()):
        np.testing.assert_allclose(
            ranked["scores"][:, index], by_task[task.decode()], rtol=1e-4, atol=1e-6
        )
