"""Trains in processes of their own: those of this machine, the chief among them.

TensorFlow joins a cluster only where it has not done anything yet, and the process that
runs a pipeline has. It is also the one that notices at once if a process is gone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import StrategyConfig
from pipeline.progress import report_progress
from pipeline.training.cluster.job import Job, jobs_folder, waiting_jobs
from pipeline.training.cluster.member_process import MemberError, MemberProcess
from pipeline.training.cluster.membership import ClusterError, Member, local_cluster
from pipeline.training.loop.stop_signal import RESUME, StopSignal

_LOOK_EVERY_S = 0.1
_TO_SAVE_S = 120.0
_TO_END_S = 5.0
_NO_GPU = {"CUDA_VISIBLE_DEVICES": "-1"}


def train_in_cluster(fn_args: FnArgs, strategy: StrategyConfig) -> None:
    """Trains in the cluster of a configuration, until the chief is done.

    Args:
        fn_args: The arguments of `run_fn`.
        strategy: Which cluster.

    Raises:
        ClusterError: There is no cluster, or this process is not its chief's.
        MemberError: A process that cannot be done without has ended.
        SystemExit: The process was asked to end; all is saved.
    """
    members = _members_here(strategy)
    local = strategy.local_workers is not None
    # Each of several processes would take all memory of all GPUs.
    environment = _NO_GPU if local else {}
    with _written(Job.of(fn_args), local) as path:
        _train(members, path, environment)


@contextmanager
def _written(job: Job, local: bool) -> Iterator[str]:
    """The job's file, where workers of other machines look if there are any.

    What lies there is of a run that was killed: this one holds the run's folder.
    """
    if local:
        with tempfile.TemporaryDirectory(prefix="poso-job-") as folder:
            yield job.write(folder)
        return
    shared = jobs_folder(job.custom_config["checkpoint_dir"])
    for left in waiting_jobs(shared):
        tf.io.gfile.remove(left)
    path = job.write(shared)
    try:
        yield path
    finally:
        tf.io.gfile.remove(path)


def _train(
    members: Sequence[Member], path: str, environment: Mapping[str, str]
) -> None:
    processes: list[MemberProcess] = []
    try:
        with StopSignal() as stop, stop.held_back():
            for member in members:
                processes.append(MemberProcess(member, path, environment))
            if stop.received is None:
                _watch(processes, stop)
            if stop.received is not None:
                for process in processes:
                    if not process.member.serves:
                        process.ask_to_end()
                processes[0].end(_TO_SAVE_S)
                stop.leave()
    finally:
        for process in processes:
            process.ask_to_end()
        for process in processes:
            process.end(_TO_END_S)


def _members_here(strategy: StrategyConfig) -> list[Member]:
    servers = strategy.kind == "parameter_server"
    if strategy.local_workers is not None:
        return local_cluster(
            strategy.local_workers, strategy.local_servers if servers else 0
        )
    member = Member.from_environment()
    if member.task != "chief":
        raise ClusterError(
            "the process that runs the pipeline must be the cluster's chief; the "
            f"others are started by `poso train-worker`. Received: {member}"
        )
    if servers != member.has_servers:
        raise ClusterError(
            f"strategy '{strategy.kind}' needs a cluster "
            f"{'with' if servers else 'without'} 'ps' tasks. "
            f"Received: {dict(member.cluster)}"
        )
    return [member]


def _watch(processes: Sequence[MemberProcess], stop: StopSignal) -> None:
    """Returns when the chief is done, or this process is asked to end."""
    chief, others = processes[0], list(processes[1:])
    while stop.received is None:
        if chief.ended is not None:
            if chief.ended:
                raise _error(chief)
            for other in others:
                if not other.member.has_servers:  # those have no end of their own
                    other.wait(_TO_END_S)
            return
        for process in [other for other in others if other.ended is not None]:
            others.remove(process)
            _lost(process, others)
        time.sleep(_LOOK_EVERY_S)


def _lost(process: MemberProcess, others: Sequence[MemberProcess]) -> None:
    """A process other than the chief has ended."""
    member = process.member
    if not member.has_servers and process.ended == 0:
        return  # it is done, and the chief about to be
    left = [other for other in others if other.member.task == "worker"]
    if not member.has_servers or member.task == "ps" or not left:
        raise _error(process)
    report_progress(
        f"{process.how_it_ended()}; the training goes on with {len(left)} "
        f"{'worker' if len(left) == 1 else 'workers'}"
    )


def _error(process: MemberProcess) -> MemberError:
    """The error of an end; what a process itself gave up would fail again."""
    again = "" if process.ended_by_signal is None else f"\n{RESUME}"
    return MemberError(f"{process.how_it_ended()}{again}")
