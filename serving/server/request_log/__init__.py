"""The request log: a share of the answered Predict requests, written to files."""
