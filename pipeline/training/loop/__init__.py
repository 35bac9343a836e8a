"""The training loop: steps, evaluation, checkpoints, and what stops it."""
