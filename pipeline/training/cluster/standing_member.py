"""A member of a cluster that another machine's chief leads, from start to start."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress

import tensorflow as tf

from pipeline.training.cluster.job import jobs_folder, waiting_jobs
from pipeline.training.cluster.member_process import MemberError, MemberProcess
from pipeline.training.cluster.membership import Member

CHECKPOINTS = "training_checkpoints"  # below the pipeline's root
_LOOK_EVERY_S = 1.0
_TO_END_S = 10.0


class StandingMember:
    """Takes part in one training after another, in a process for each.

    A worker finds the trainings as files in the run's folder. A process of parameter
    servers answers any coordinator; it looks only whether there is one.

    Args:
        member: Which.
        pipeline_root: The run's folder of artifacts; of no use to parameter servers.
        wait_s: Seconds without a training after which it ends.
        say: Takes a line for the user.
    """

    def __init__(
        self,
        member: Member,
        pipeline_root: str,
        wait_s: float,
        say: Callable[[str], None],
    ):
        self._member = member
        self._jobs = jobs_folder(os.path.join(pipeline_root, CHECKPOINTS))
        self._wait_s = wait_s
        self._say = say

    def run(self) -> None:
        """Returns when there has been no training for long enough.

        Raises:
            MemberError: Its process of parameter servers has ended by itself.
        """
        if self._member.has_servers:
            self._serve()
        else:
            self._work()

    def _work(self) -> None:
        done: set[str] = set()
        last = time.monotonic()
        while time.monotonic() - last < self._wait_s:
            # A job without a chief is one that a killed run has left.
            led = _answers(self._member.chief_address)
            for path in waiting_jobs(self._jobs) if led else ():
                if path not in done:
                    done.add(path)
                    self._train(path)
                    last = time.monotonic()
            time.sleep(_LOOK_EVERY_S)

    def _train(self, path: str) -> None:
        self._say(f"{self._member}: training")
        process = MemberProcess(self._member, path)
        try:
            # A training whose chief gave up, or was stopped, has no file any more.
            while process.ended is None and tf.io.gfile.exists(path):
                time.sleep(_LOOK_EVERY_S)
            process.wait(_TO_END_S)
            code = process.ended
        finally:
            process.ask_to_end()
            process.end(_TO_END_S)
        self._say(f"{self._member}: done" if code == 0 else process.how_it_ended())

    def _serve(self) -> None:
        process = MemberProcess(self._member)
        last = time.monotonic()
        try:
            while time.monotonic() - last < self._wait_s and process.ended is None:
                if _answers(self._member.chief_address):
                    last = time.monotonic()
                time.sleep(_LOOK_EVERY_S)
            if process.ended is not None:
                raise MemberError(process.how_it_ended())
        finally:
            process.ask_to_end()
            process.end(_TO_END_S)


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False
