"""A training that starts from the weights of an earlier model."""
