"""A process of a training in a cluster: `python -m pipeline.training.member [JOB]`.

TF_CONFIG says which it is. It prints the training's progress, a line each, and ends
when its standard input does, so that it does not outlive what started it. A process of
parameter servers ends in no other way: a signal to all processes of a job must not take
them from the coordinator, which saves first.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable

from pipeline.progress import LOGGER_NAME
from pipeline.training.cluster.membership import Member
from pipeline.training.loop.stop_signal import StopSignal

_TO_SAVE_S = 120.0


def main() -> None:
    """Trains, or serves those who do, until it is over."""
    member = Member.from_environment()
    if member.serves:
        for number in StopSignal.SIGNALS:
            signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_input, args=(member,), daemon=True).start()
    if member.serves:
        from pipeline.training.cluster.parameter_servers import serve

        _in_one_line(lambda: serve(member))
        return
    progress = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no progress
    logging.getLogger(LOGGER_NAME).addHandler(logging.StreamHandler(progress))
    from pipeline.training.cluster.job import Job
    from pipeline.training.trainer import train

    _in_one_line(lambda: train(Job.read(sys.argv[1]).fn_args()))


def _in_one_line(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:
        traceback.print_exc()
        # The last line is what the process that started this one shows.
        sys.exit((str(error).strip() or type(error).__name__).splitlines()[0])


def _end_with_input(member: Member) -> None:
    while os.read(0, 1024):
        pass
    if member.serves:
        os._exit(0)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_TO_SAVE_S)
    os._exit(128 + signal.SIGTERM)  # it waits for a member that does not come


if __name__ == "__main__":
    main()
