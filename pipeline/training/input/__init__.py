"""The training examples: parsed in batches, in an order that a restart can repeat."""
