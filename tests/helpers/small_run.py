"""The command as a user runs it, and settings of a model that trains in seconds."""

import os
import subprocess
import sys

SMALL = [
    "model.embedding_dim=4",
    "model.mmoe={num_experts: 2, expert_units: [8]}",
    "model.tower_units=[4]",
    "model.attention={num_heads: 1, key_dim: 4, num_modules: 2}",
    "training.epochs=1",
    "evaluation.min_scored_users=5",
    "evaluation.max_gauc_drop=1.0",
]
SETS = [part for item in SMALL for part in ("--set", item)]


def poso(*arguments, **environment):
    """Runs the command as a user does; returns the finished process.

    Args:
        arguments: The command's.
        environment: Variables besides this process's; None takes one out.
    """
    variables = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, "-m", "cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={name: value for name, value in variables.items() if value is not None},
    )


def printed_by(*arguments, **environment):
    """What the command prints; fails with it if the command fails."""
    run = poso(*arguments, **environment)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout
