"""`run_fn` in a process of its own, which ends itself at a chosen moment.

Called with the small Transform's folder, a folder to write, a `RunConfig` as JSON, and
the moment; a training that gets through leaves `weights.npz`.
"""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

STEP, WRITE, RECORD, RANDOM = (
    "step",  # before a step
    "write",  # a checkpoint's values are written, and not yet its names
    "record",  # a checkpoint is written, and not yet the latest
    "random",  # any time within a second of the first step
)


def train(small, out, config, moment="", number=0, signal_number=signal.SIGKILL):
    """Runs the training in a process.

    Args:
        small: A `SmallTransform`.
        out: Folder for all that the training writes.
        config: The `RunConfig`.
        moment: When it sends itself the signal; empty never.
        number: At which of these moments.
        signal_number: The signal.

    Returns:
        The process, which is over, with what it printed.
    """
    command = [sys.executable, "-m", __name__, str(small.folder), str(out)]
    command += [config.model_dump_json(), moment, str(number), str(int(signal_number))]
    return subprocess.run(command, capture_output=True, text=True, timeout=900)


def weights(out):
    """All variables of the model and the optimizer of a training that got through."""
    with np.load(Path(out) / "weights.npz") as saved:
        return dict(saved)


def _interrupt(moment, number, signal_number):
    """Arranges that the signal comes at that moment."""
    from tensorflow.python.checkpoint import checkpoint_management
    from tensorflow.python.ops import gen_io_ops

    from pipeline.training.loop.steps import InSyncSteps

    def end():
        os.kill(os.getpid(), signal_number)

    def at_call(owner, name):
        function, calls = getattr(owner, name), iter(range(1, sys.maxsize))

        def watched(*args, **kwargs):
            if next(calls) == number:
                end()
            return function(*args, **kwargs)

        setattr(owner, name, watched)

    if moment == RANDOM:
        run, timers = InSyncSteps.run, []

        def timed(self, batch):
            logs = run(self, batch)
            if not timers:
                timers.append(threading.Timer(random.uniform(0, 1), end))
                timers[0].daemon = True
                timers[0].start()
            return logs

        InSyncSteps.run = timed
    elif moment:
        at_call(
            *{
                STEP: (InSyncSteps, "run"),
                WRITE: (gen_io_ops, "merge_v2_checkpoints"),
                RECORD: (checkpoint_management, "update_checkpoint_state_internal"),
            }[moment]
        )


def _main(folder, out, text, moment, number, signal_number):
    import logging

    import pipeline  # noqa: F401  chooses the Keras of this process
    from pipeline.config import RunConfig, TrainerPart
    from pipeline.progress import LOGGER_NAME
    from pipeline.training import trainer
    from pipeline.training.optimizers.build import composite_optimizer
    from tests.helpers.training_arguments import training_arguments

    logging.getLogger(LOGGER_NAME).addHandler(logging.StreamHandler(sys.stdout))

    def export(model, *_):
        variables = [*model.variables, *composite_optimizer(model).weights]
        np.savez(
            Path(out) / "weights.npz",
            **{f"{i}:{v.name}": v.numpy() for i, v in enumerate(variables)},
        )

    trainer.export_model = export
    _interrupt(moment, number, signal_number)
    part = RunConfig.model_validate_json(text).part(TrainerPart)
    files = [str(Path(folder) / "transformed" / "*.gz")]
    trainer.run_fn(
        training_arguments(part, files, str(Path(folder) / "graph"), Path(out))
    )


if __name__ == "__main__":
    _main(*sys.argv[1:5], int(sys.argv[5]), int(sys.argv[6]))
