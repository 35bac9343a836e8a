"""What the numbers of a log speak against, and what to do about it."""
