"""Ranks by ids: looks up the features of the user and of the candidates."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.rates import rate_columns_of
from serving.client.ranking_client import RankingClient, RankResult
from serving.client.transport import ModelMetadata
from serving.online.user_store import UserStore
from serving.online.video_catalog import VideoCatalog
from serving.protocol.errors import FailedPrecondition, InvalidArgument

_RANK = "rank"


@dataclass(frozen=True)
class Ranking:
    """Candidates, best first.

    Attributes:
        video_ids: The candidates by descending `fused`; equal ones in the order given.
        result: Their scores, in the same order.
        user: The user's features, as the model was asked with them.
    """

    video_ids: tuple[str, ...]
    result: RankResult
    user: Mapping[str, Any]


class Ranker:
    """Ranks candidates for a user, both given by id.

    Example:
        with RankingClient(grpc="127.0.0.1:8500") as client:
            ranker = Ranker(
                client,
                UserStore("monday", config.features),
                VideoCatalog("catalogue.parquet", config.features),
                config.features,
            )
            ranking = ranker.rank("u00024", ["v7", "v2"], {"user_country": "BR"})

    Users and videos that nobody knows are also ranked: that is what a model for a cold
    start is for.

    Args:
        client: Asks the model.
        users: Gives users' features and videos' impressions.
        videos: Gives videos' other features.
        config: The feature configuration that the model was trained with.
        clock_ms: The time now, UTC.
    """

    def __init__(
        self,
        client: RankingClient,
        users: UserStore,
        videos: VideoCatalog,
        config: FeatureConfig,
        clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ):
        self._client = client
        self._users = users
        self._videos = videos
        self._clock_ms = clock_ms
        self._config = config
        self._absent: dict[str, Any] = {
            extra.name: [] if extra.type == "list" else None
            for extra in config.inputs
            if extra.entity != "video"
        }

    def rank(
        self,
        user_id: str,
        video_ids: Sequence[str],
        features: Mapping[str, Any] | None = None,
        time_ms: int | None = None,
        timeout_s: float | None = None,
    ) -> Ranking:
        """Ranks candidates.

        Args:
            user_id: The user.
            video_ids: The candidates.
            features: Declared features of the user and the context; those that are not
                given are unknown to the model.
            time_ms: The moment to rank for, UTC; None for now.
            timeout_s: Deadline of the call to the model; None takes the client's.

        Raises:
            ValueError: A feature is not declared, or the moment is not later than the
                user's state.
            ServingError: The store, the server or the model refuses.
        """
        features = features or {}
        unknown = sorted(features.keys() - self._absent.keys())
        if unknown:
            raise ValueError(
                "expected features that the configuration declares for users or "
                f"contexts: {sorted(self._absent)}. Received: {unknown}"
            )
        now = self._clock_ms() if time_ms is None else time_ms
        seen = self._users.video_impressions(video_ids)
        user = {**self._absent, **features, **self._users.features(user_id, now)}
        videos = self._videos.features(video_ids, [seen[v] for v in video_ids], now)
        if self._config.rates is not None:
            rows = self._videos.rows(video_ids)
            rates = self._users.rates(user_id, rows, now, user)
            for subject in self._config.rate_subjects:
                for name in rate_columns_of(subject.name, self._config.rate_labels):
                    if subject.side == "video":
                        videos[name] = rates[name]
                    else:
                        user[name] = rates[name][0]
        result = self._ask(user, videos, timeout_s)
        order = np.argsort(-result.fused, kind="stable")
        return Ranking(
            tuple(video_ids[index] for index in order),
            RankResult(result.tasks, result.scores[order], result.fused[order]),
            user,
        )

    def _ask(
        self,
        user: dict[str, Any],
        videos: dict[str, list[Any]],
        timeout_s: float | None,
    ) -> RankResult:
        """Asks the model, and asks again if a new version takes other inputs."""
        known = self._client.metadata(timeout_s)
        try:
            return self._send(known, user, videos, timeout_s)
        except (FailedPrecondition, InvalidArgument):
            now = self._client.metadata(timeout_s)
            if now.signatures == known.signatures:
                raise
        return self._send(now, user, videos, timeout_s)

    def _send(
        self,
        metadata: ModelMetadata,
        user: dict[str, Any],
        videos: dict[str, list[Any]],
        timeout_s: float | None,
    ) -> RankResult:
        signature = metadata.signatures.get(_RANK)
        if signature is None:
            raise FailedPrecondition(
                f"the model has no signature {_RANK!r}, only "
                f"{sorted(metadata.signatures)}"
            )
        wanted = signature.inputs
        return self._client.rank(
            {name: value for name, value in user.items() if name in wanted},
            {name: value for name, value in videos.items() if name in wanted},
            timeout_s,
        )
