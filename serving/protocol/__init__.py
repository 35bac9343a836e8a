"""What server, client and export agree on: tensors, messages, errors. No TensorFlow."""
