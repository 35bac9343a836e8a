"""Answering a request, whatever the protocol: Predict, Classify, Regress."""
