"""POSO (MLP) and (MMoE) against nextrec's, the other public package that has them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

import poso_keras
from benchmarks.command import Options, benchmark_command
from benchmarks.contestant import Contestant, check_equal
from benchmarks.environment import use_threads
from benchmarks.interleaved import Block, calls, measure
from benchmarks.nextrec_environment import nextrec_python
from benchmarks.report import Row

BATCHES = (256, 1024)
SIZES = {
    "POSOMLP": {"width": 256, "units": [256, 128]},
    "POSOMMoE": {"width": 256, "units": [256, 128], "experts": 8, "tasks": 4},
}
COMMON = {"code": 16, "gate_hidden_units": 32}  # 32 is nextrec's default
TARGET = 1.5
OURS, OURS_ON_TORCH, THEIRS = "ours", "ours, Keras 3 on PyTorch", "nextrec"


class Worker:
    """The process in nextrec's environment, asked for one block at a time."""

    def __init__(self, threads: int) -> None:
        root = Path(__file__).parent.parent
        settings = {
            "KERAS_BACKEND": "torch",
            "TF_USE_LEGACY_KERAS": "0",
            "PYTHONPATH": str(root),
            "OMP_NUM_THREADS": str(threads),
        }
        # -P: the folder of the script must not be searched for modules.
        self._process = subprocess.Popen(
            [
                nextrec_python(),
                "-P",
                root / "benchmarks/nextrec_worker.py",
                str(threads),
            ],
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def ask(self, **request: Any) -> Any:
        """Sends a request and returns the reply."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            raise RuntimeError(f"nextrec's process ended at the request {request}")
        return json.loads(reply)

    def block(self, name: str, work: str) -> Block:
        """Returns the block of a contestant that lives in the process."""
        return lambda count: float(self.ask(run=[name, work], count=count))


def measure_nextrec(options: Options) -> tuple[str, list[Row], list[str]]:
    """Our POSO (MLP) and (MMoE) against nextrec's (PyTorch), on the CPU.

    The same widths, batch, weights, outputs, loss and optimizer. A train step is
    forward, backward (to the inputs as well) and Adam.
    """
    use_threads(options.threads)
    rows = []
    with Worker(options.threads) as worker, tempfile.TemporaryDirectory() as folder:
        for kind in SIZES:
            for batch in BATCHES:
                rows += _module_rows(worker, kind, batch, Path(folder), options)
        versions = worker.ask(versions=0)
    notes = [
        "ratio: examples per second, ours / nextrec's. nextrec as it runs by default: "
        "PyTorch, not compiled; ours under tf.function.",
        "not alike: nextrec's MMoE has one gate network an expert, as wide as its "
        "output (the paper has one gate an expert), and a bias in the task gates: 5 % "
        "more operations. Its weights are set so that outputs are equal.",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
    ]
    return "POSO modules, ours / nextrec", rows, notes


def _module_rows(
    worker: Worker, kind: str, batch: int, folder: Path, options: Options
) -> list[Row]:
    sizes = {**SIZES[kind], **COMMON}
    ours = _make(worker, kind, sizes, batch, folder, options)
    for name in (OURS_ON_TORCH, THEIRS):
        worker.ask(outputs=name, to=str(folder / "outputs.npz"))
        outputs = np.load(folder / "outputs.npz")
        check_equal(ours.forward(), [outputs[key] for key in outputs.files])
    rows = []
    for work, label in (("forward", "forward"), ("train", "train step")):
        rounds = measure(
            {
                OURS: calls(getattr(ours, work)),
                OURS_ON_TORCH: worker.block(OURS_ON_TORCH, work),
                THEIRS: worker.block(THEIRS, work),
            },
            options.repeats,
            max_s=15,
        )
        for name, target in ((OURS, TARGET), (OURS_ON_TORCH, None)):
            values = {
                short: f"{batch / rounds.time(long).median:,.0f}/s"
                for short, long in (("ours", name), ("nextrec", THEIRS))
            }
            suffix = "" if name == OURS else ", on PyTorch"
            label_row = f"{kind}, batch {batch}, {label}{suffix}"
            ratio = rounds.ratio(THEIRS, name)
            rows.append(Row(label_row, ratio, target, values=values))
    return rows


def _make(
    worker: Worker,
    kind: str,
    sizes: dict[str, Any],
    batch: int,
    folder: Path,
    options: Options,
) -> Contestant:
    """Makes our contestant, and in the worker the others with the same weights."""
    tf_keras.utils.set_random_seed(7)
    rng = np.random.default_rng(batch)
    inputs, code = (
        rng.normal(size=(batch, sizes[name])).astype("float32")
        for name in ("width", "code")
    )
    gate = {"gate_hidden_units": sizes["gate_hidden_units"]}
    if kind == "POSOMLP":
        layer = poso_keras.POSOMLP(sizes["units"], **gate)
    else:
        counts = (sizes["experts"], sizes["units"], sizes["tasks"])
        layer = poso_keras.POSOMMoE(*counts, **gate)
    tensors = (tf.constant(inputs), tf.constant(code))
    layer(*tensors)
    made = Contestant(layer, tensors, layer.trainable_weights, jit=options.jit)
    weights = {
        "weight:" + w.name.removesuffix(":0").split("/", 1)[1]: w.numpy()
        for w in layer.weights
    }
    targets = {f"target_{i}": y.numpy() for i, y in enumerate(made.targets)}
    file = folder / "arrays.npz"
    np.savez(file, inputs=inputs, code=code, **weights, **targets)
    worker.ask(make=kind, sizes=sizes, arrays=str(file))
    return made


main = benchmark_command(measure_nextrec)

if __name__ == "__main__":
    main()
