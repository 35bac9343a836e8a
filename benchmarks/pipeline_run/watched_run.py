"""A command's components, timed by its own lines, and the memory of its processes."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.feature_engine.logs import ROOT

GB = 1e9
_SAMPLE_S = 0.1
# What is no preparation, judgement or report of a model, and has benchmarks of its own.
LEFT_OUT = ("Trainer", "PlainTrainer", "ControlTrainer", "ServingValidator")
_FINISHED = re.compile(r"\[ *\d+/\d+\] (\w+) +([\d.]+) s")


@dataclass(frozen=True)
class Component:
    """One component of a run.

    Attributes:
        seconds: as the run says.
        peak_bytes: resident memory of all its processes at the peak, since the
            component before it ended.
    """

    seconds: float
    peak_bytes: int


@dataclass
class WatchedRun:
    """A command that has ended.

    Attributes:
        seconds: from its start to its end, imports included.
        peak_bytes: of all its processes at their peak.
        components: by name, in the order in which they finished.
    """

    seconds: float = 0.0
    peak_bytes: int = 0
    components: dict[str, Component] = field(default_factory=dict)

    @property
    def counted_s(self) -> float:
        """Seconds of all but training and the trial of serving."""
        parts = self.components
        left_out = sum(parts[name].seconds for name in LEFT_OUT if name in parts)
        return self.seconds - left_out


def watch(arguments: Sequence[str]) -> WatchedRun:
    """Runs `poso` with these arguments.

    Resident memory is sampled; pages that processes share count in each of them.

    Raises:
        RuntimeError: It failed; the message holds the end of what it printed.
    """
    result = WatchedRun()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    memory = _Memory(process.pid)
    printed = []
    with memory:
        for line in process.stdout or ():
            printed.append(line)
            if done := finished_component(line):
                name, seconds = done
                result.components[name] = Component(seconds, memory.take_peak())
    if process.wait():
        said = "".join(printed)[-4000:]
        raise RuntimeError(
            f"poso {' '.join(arguments)} failed (exit status {process.returncode}):\n"
            f"{said}"
        )
    result.seconds = time.monotonic() - started
    result.peak_bytes = memory.peak_bytes
    return result


def finished_component(line: str) -> tuple[str, float] | None:
    """Name and seconds of the component that a line of `poso run` says has ended."""
    found = _FINISHED.match(line)
    return (found[1], float(found[2])) if found else None


class _Memory:
    """Samples the resident memory of a process and of all that it starts."""

    def __init__(self, pid: int):
        self.peak_bytes = 0
        self._since = 0
        self._process = psutil.Process(pid)
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> _Memory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def take_peak(self) -> int:
        """The peak since this was last asked."""
        with self._lock:
            peak, self._since = self._since, 0
        return peak

    def _sample(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            now = _resident(self._process)
            with self._lock:
                self._since = max(self._since, now)
                self.peak_bytes = max(self.peak_bytes, now)


def _resident(process: psutil.Process) -> int:
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += _of_one(one)
    except psutil.NoSuchProcess:  # it has just ended
        pass
    return total


def _of_one(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0


def newest(folder: Path) -> Path:
    """The newest of an output's numbered folders."""
    return max(folder.iterdir(), key=lambda place: int(place.name))
