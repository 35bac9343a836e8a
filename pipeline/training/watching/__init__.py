"""What a training shows while it runs, and when it has learned enough."""
