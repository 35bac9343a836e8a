"""Steps of two workers and of two mirrored replicas beside those of one process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import click

from benchmarks.interleaved import Block, Spread, measure
from benchmarks.report import Row, milliseconds
from pipeline.training.cluster.membership import local_cluster

_ONE, _HALF, _MIRRORED, _WORKERS = "one process", "half", "mirrored", "workers"
# The strategy of each contestant, its threads, and its share of the batch.
_CONTESTANTS = {
    _ONE: ("none", 2, 1.0),
    _HALF: ("none", 1, 0.5),
    _MIRRORED: ("mirrored", 2, 1.0),
    _WORKERS: ("multi_worker", 1, 1.0),
}


def measure_distribution(repeats: int) -> list[Row]:
    """The rows: each strategy's step by that of one process with two threads.

    A worker or a replica computes half a batch on one thread; what its step takes
    beyond that is spent on exchanging gradients and on waiting.
    """
    with ExitStack() as stack:
        blocks = {
            name: _start(stack, *settings) for name, settings in _CONTESTANTS.items()
        }
        rounds = measure(blocks, repeats, block_s=2.0, max_s=120.0)
    seconds = {name: rounds.time(name).median for name in rounds.seconds}
    rows = []
    for name, title in ((_WORKERS, "two workers"), (_MIRRORED, "two replicas")):
        values = {
            title: milliseconds(seconds[name]),
            "one process": milliseconds(seconds[_ONE]),
        }
        ratio = rounds.ratio(name, _ONE)
        rows.append(Row(f"step, {title} / one process", ratio, values=values))
        compute = Spread.of(rounds.seconds[_HALF] / rounds.seconds[name])
        half = {"half a batch, one thread": milliseconds(seconds[_HALF])}
        rows.append(Row(f"of which computing, {title}", compute, values=half))
    return rows


def _start(stack: ExitStack, kind: str, threads: int, share: float) -> Block:
    """Starts a contestant's processes; the block tells all of them to take steps."""
    configs = [""]
    if kind == "multi_worker":
        configs = [member.tf_config for member in local_cluster(2)]
    processes = [_process(stack, [kind, threads, share], config) for config in configs]

    def block(count: int) -> float:
        for process in processes:
            print(count, file=process.stdin, flush=True)
        return max(float(_answer(process)) for process in processes)

    return block


def _process(
    stack: ExitStack, arguments: Sequence[Any], tf_config: str
) -> subprocess.Popen[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    if tf_config:
        environment["TF_CONFIG"] = tf_config
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.distribution", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    stack.enter_context(process)  # waits for its end, which that of its input is
    stack.callback(process.kill)
    return process


def _answer(process: subprocess.Popen[str]) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise RuntimeError(f"a contestant ended: {process.args}")
    return line


@click.command()
@click.argument("kind")
@click.argument("threads", type=int)
@click.argument("share", type=float)
def main(kind: str, threads: int, share: float) -> None:
    """Takes as many steps as each line of the input says, and prints their seconds."""
    import pipeline  # noqa: F401  (chooses the Keras of this process)
    from benchmarks.kuairand_shape import BATCH
    from benchmarks.steps_in_memory import steps_in_memory

    block = steps_in_memory(kind, threads, int(share * BATCH))
    for line in sys.stdin:
        print(block(int(line)), flush=True)


if __name__ == "__main__":
    main()
