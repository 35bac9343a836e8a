"""Training: batches, strategies, the `run_fn`, and what is learned about a model."""
