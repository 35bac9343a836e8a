"""A process of a training in a cluster: `python -m pipeline.training.member [JOB]`.

TF_CONFIG says which it is. It prints the training's progress, a line each, and ends
when its standard input does, so that it does not outlive what started it.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback

from pipeline.progress import LOGGER_NAME
from pipeline.training.cluster.membership import Member


def main() -> None:
    """Trains, or serves those who do, until it is over."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    member = Member.from_environment()
    if member.has_servers and not member.is_chief:
        from pipeline.training.cluster.parameter_servers import serve

        serve(member)
        return
    progress = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no progress
    logging.getLogger(LOGGER_NAME).addHandler(logging.StreamHandler(progress))
    from pipeline.training.cluster.job import Job
    from pipeline.training.trainer import train

    try:
        train(Job.read(sys.argv[1]).fn_args())
    except Exception as error:
        traceback.print_exc()
        # The last line is what the process that started this one shows.
        sys.exit((str(error).strip() or type(error).__name__).splitlines()[0])


def _end_with_input() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
