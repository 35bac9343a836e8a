"""Serving a trained model: signatures, the embedded server and its client.

`server` speaks TensorFlow Serving's gRPC and REST protocols; `client` speaks to either
server and needs no TensorFlow. Import the module you need: this package loads nothing.
"""
