"""Features at a moment, for serving: the feature engine on made-up impressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from preprocessing.arrays.conversion import to_array
from preprocessing.contract.column_names import (
    EVENT_TIME,
    FIRST_LAUNCH,
    PRIOR_VIEWS,
    USER_FEATURES,
    USER_ID,
    VIDEO_FEATURES,
    VIDEO_ID,
)
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.features.passes import user_features, video_features
from preprocessing.features.past import collect
from preprocessing.state.schema import VIDEO_STATE_SCHEMA


def compute_user_features_at(
    user_id: str, time_ms: int, state: pa.Table, config: FeatureConfig
) -> dict[str, Any]:
    """The features that an impression of the user would have at that time.

    The engine's own pass over that one impression computes them, so serving and
    training cannot differ.

    Args:
        user_id: The user.
        time_ms: When, UTC. Impressions of the state count as earlier.
        state: By `state.schema.USER_STATE_SCHEMA`: the user's row, or none for a user
            who was never seen.
        config: The configuration that the model was trained with.

    Returns:
        `contract.column_names.USER_FEATURES` by name: numbers, texts, lists; None where
        unknown.

    Raises:
        StateError: The state breaks its schema.
    """
    known = {USER_ID: user_id, EVENT_TIME: time_ms}
    if state.num_rows:
        for name in (PRIOR_VIEWS, FIRST_LAUNCH):
            known[name] = state[name][0].as_py()
    row = {
        field.name: pa.array([known.get(field.name, _blank(field))], field.type)
        for field in impression_schema(config)
    }
    config = config.model_copy(update={"rates": None})  # preprocessing.online.rates
    impression = video_features(pa.table(row, impression_schema(config)), None, config)
    features = user_features(collect(impression, state, config), config)
    return {name: features[name][0].as_py() for name in USER_FEATURES}


def compute_video_features_at(
    videos: pa.Table,
    impressions: Sequence[int],
    time_ms: int,
    config: FeatureConfig,
) -> dict[str, list[Any]]:
    """The features that impressions of videos would have at a time.

    Args:
        videos: By `sources.catalogue.video_schema`, one row per candidate; a video may
            come twice.
        impressions: Each one's impressions so far over all users.
        time_ms: When, UTC.
        config: The configuration that the model was trained with.

    Returns:
        The columns of `videos` and `contract.column_names.VIDEO_FEATURES` by name, one
        value per candidate; None where unknown.
    """
    table = impressions_at(videos, {USER_ID: "", EVENT_TIME: time_ms}, config)
    ids = to_array(videos[VIDEO_ID]).to_pylist()
    counts = dict(zip(ids, impressions, strict=True))
    state = pa.Table.from_arrays(
        [pa.array(list(counts), pa.string()), pa.array(list(counts.values()), "int64")],
        schema=VIDEO_STATE_SCHEMA,
    )
    features = video_features(table, state, config)
    names = (*videos.column_names, *VIDEO_FEATURES)
    return {name: features[name].to_pylist() for name in names}


def impressions_at(
    videos: pa.Table, values: Mapping[str, Any], config: FeatureConfig
) -> pa.Table:
    """Made-up impressions of videos, by `contract.schema.impression_schema`.

    Args:
        videos: By `sources.catalogue.video_schema`, one row per impression.
        values: Values of further columns, the same for all; the others are null.
        config: The feature configuration.
    """
    schema = impression_schema(config)
    columns = [
        videos[field.name]
        if field.name in videos.column_names
        else pa.array(
            [values.get(field.name, _blank(field))] * videos.num_rows, field.type
        )
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _blank(field: pa.Field) -> Any:
    """Null, or what stands for it in a column that has no nulls."""
    if field.nullable:
        return None
    return "" if pa.types.is_string(field.type) else np.int64(0).item()
