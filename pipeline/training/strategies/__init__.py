"""What the distribution strategies ask for: their steps, workers and weights."""
