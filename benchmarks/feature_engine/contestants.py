"""The contestants by name, each run in a process of its own.

    python -m benchmarks.feature_engine.contestants NAME LOG_DIR OUT_DIR

A process of its own gives each its own peak of memory, and none profits from pages that
another left behind. What is timed begins after the imports and ends when the last file
is closed: read Parquet, compute, write Parquet.
"""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.feature_engine.logs import ROOT, demo_features

IN_BEAM, IN_THREADS = "engine in Beam", "poso features"
MAPPED = "with a mapping"
ELEMENT_WISE, POLARS = "element-wise Beam", "polars"
LOG_CHECK = "poso check"
THREADS_WITH_RATES = "poso features with rates"
POLARS_WITH_RATES = "polars with rates"
WITH_RATES = (THREADS_WITH_RATES, POLARS_WITH_RATES)
_MODULES = {
    IN_BEAM: "beam_engine",
    IN_THREADS: "threads_engine",
    MAPPED: "mapped_engine",
    ELEMENT_WISE: "element_wise",
    POLARS: "polars_program",
    LOG_CHECK: "log_check_pass",
    THREADS_WITH_RATES: "threads_engine",
    POLARS_WITH_RATES: "polars_program",
}


@dataclass(frozen=True)
class Run:
    """One run of a contestant.

    Attributes:
        seconds: from the first file read to the last one written.
        peak_bytes: resident memory of its process at its peak.
    """

    seconds: float
    peak_bytes: int


def run(name: str, log_dir: Path, out_dir: Path) -> Run:
    """Runs a contestant once; `out_dir` is emptied before.

    Raises:
        RuntimeError: The contestant failed; the message holds what it printed.
    """
    shutil.rmtree(out_dir, ignore_errors=True)
    out_dir.mkdir(parents=True)
    command = [sys.executable, "-m", __name__, name, str(log_dir), str(out_dir)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"{name} failed on {log_dir} (exit status {done.returncode}):\n"
            f"{done.stderr[-4000:]}"
        )
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def build(name: str, log_dir: str, out_dir: str) -> float:
    """Runs a contestant in this process; returns the seconds without its imports."""
    module = f"benchmarks.feature_engine.{_MODULES[name]}"
    contestant = importlib.import_module(module)
    config = demo_features(rates=name in WITH_RATES)
    start = time.perf_counter()
    contestant.build(log_dir, out_dir, config)
    return time.perf_counter() - start


def _peak_bytes() -> int:
    """Of this process alone: `ru_maxrss` begins with what its parent had."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no line VmHWM; expected Linux")


if __name__ == "__main__":
    seconds = build(*sys.argv[1:])
    print(json.dumps({"seconds": seconds, "peak_bytes": _peak_bytes()}))
