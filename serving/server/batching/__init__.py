"""Merging requests of the embedded server into batches, as TensorFlow Serving does."""
