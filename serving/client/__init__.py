"""The client of a ranking server, without TensorFlow."""

from serving.client.ranking_client import RankingClient

__all__ = ["RankingClient"]
