"""Which columns of the feature table trees may see: what the model reads, no label.

A column of the log is out unless it is named here, because most of a log is what the
user did: a play time tells the label. What the engine has computed is in, because it
knows only what was before the impression.
"""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from preprocessing.contract.column_names import AUTHOR_ID, TAGS, USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import impression_schema
from preprocessing.features.columns import feature_schema
from preprocessing.transform.input_specs import HISTORIES, HISTORY_GAP

HISTORY_LENGTH = "history_length"
LAST_SEEN = "hours_since_last_impression"

_OF_THE_LOG = (USER_ID, VIDEO_ID, AUTHOR_ID, TAGS)
# A function of `is_new_user`, `active_days_7` and the histories; the model has no such
# input either.
_REPEATED = ("user_group",)
# What a history is compared with, entry by entry, in the candidate's own columns.
_CANDIDATES = dict(zip(HISTORIES, (VIDEO_ID, AUTHOR_ID, TAGS), strict=True))


class TreeFeature(NamedTuple):
    """One feature of the trees.

    Attributes:
        name: What it is called in tables.
        categorical: Whether its numbers stand for values without an order.
    """

    name: str
    categorical: bool = False


def tree_fields(config: FeatureConfig) -> list[pa.Field]:
    """The columns of the feature table that trees may see, in the table's order.

    They are all that the engine has computed, the ids of user, video and author, the
    tags, and the declared features that the model reads.
    """
    logged = set(impression_schema(config).names)
    named = {*_OF_THE_LOG, *(extra.name for extra in config.inputs)}
    return [
        field
        for field in feature_schema(config)
        if (field.name in named or field.name not in logged)
        and field.name not in (*config.labels, *_REPEATED)
    ]


def tree_features(config: FeatureConfig) -> list[TreeFeature]:
    """The features that `tree_fields` become.

    A number is itself, a text a category. A list of texts becomes its first entry and
    how many it has. Histories become their length, the time since their newest entry,
    and in how many entries the candidate's video, author or first tag occurs.
    """
    features = []
    for field in tree_fields(config):
        if field.name in HISTORIES:
            features.append(TreeFeature(match_name(_CANDIDATES[field.name])))
        elif field.name == HISTORY_GAP:
            features += [TreeFeature(HISTORY_LENGTH), TreeFeature(LAST_SEEN)]
        elif pa.types.is_list(field.type):
            features += [
                TreeFeature(f"{field.name}_count"),
                TreeFeature(field.name, categorical=True),
            ]
        else:
            features.append(TreeFeature(field.name, pa.types.is_string(field.type)))
    return features


def candidate_of(history: str) -> str:
    """The candidate's column that a column of histories is compared with."""
    return _CANDIDATES[history]


def match_name(column: str) -> str:
    """What the number of a history's entries is called that are the candidate's."""
    return f"history_same_{column}"
