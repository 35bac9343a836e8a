"""The embedded server, which speaks TensorFlow Serving's protocols."""
