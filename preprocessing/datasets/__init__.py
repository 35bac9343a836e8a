"""The feature table as TensorFlow reads it."""
