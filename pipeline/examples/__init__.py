"""From an impression log to training and evaluation examples, and their schema."""
