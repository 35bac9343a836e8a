"""The client's ways to a server, without TensorFlow."""
