"""gRPC: PredictionService, ModelService, health."""
