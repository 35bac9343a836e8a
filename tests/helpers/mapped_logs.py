"""Logs of other names and units, and the feature tables that they become."""

import json

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.engine.in_memory import compute_feature_table

MAY = 1_651_363_200_000  # 2022-05-01, in seconds without a rest
CONFIG = FeatureConfig(
    labels={"like": {"column": "is_like"}},
    extra=[{"name": "country", "entity": "user", "type": "categorical"}],
    max_reject_rate=1.0,
)
ROWS = [
    {"uid": 7, "item": "x", "ts": 1_651_363_200, "behavior": "pv", "nation": "DE"},
    {"uid": 8, "item": "y", "ts": 1_651_363_201, "behavior": "buy", "nation": "FR"},
    {"uid": 7, "item": "y", "ts": 1_651_363_202, "behavior": "fav", "nation": None},
]
COLUMNS = {
    "user_id": "uid",
    "video_id": {"column": "item"},
    "event_time_ms": {"column": "ts", "unit": "s"},
    "is_like": {"column": "behavior", "equals": ["fav", "buy"]},
    "country": "nation",
}


def build(folder, kind, config=CONFIG, **source):
    source = SourceConfig(format=kind, **source)
    return compute_feature_table(source, config, str(folder))


def shown(table, *names):
    columns = ("user_id", "video_id", "event_time_ms", *names)
    rows = table.features.sort_by("event_time_ms").to_pylist()
    return [tuple(row[name] for name in columns) for row in rows]


def rejected(table):
    return {row["reason"]: json.loads(row["row"]) for row in table.rejects.to_pylist()}
