"""Names of the columns, as plain text: configuration checks against them cheaply."""

from __future__ import annotations

USER_ID = "user_id"
VIDEO_ID = "video_id"
EVENT_TIME = "event_time_ms"
PLAY_TIME = "play_time_ms"
DURATION = "video_duration_ms"
AUTHOR_ID = "author_id"
TAGS = "video_tags"
FIRST_LAUNCH = "user_first_launch_ms"
UPLOAD = "video_upload_ms"
PRIOR_VIEWS = "prior_view_count"

# Numbers that hardly any two rows share.
RARELY_REPEATED = (EVENT_TIME, PLAY_TIME)

REQUIRED_COLUMNS = (USER_ID, VIDEO_ID, EVENT_TIME)
WATCH_COLUMNS = (PLAY_TIME, DURATION)
TIME_COLUMNS = (EVENT_TIME, FIRST_LAUNCH, UPLOAD)
FLAG_COLUMNS = ("is_like", "is_follow")
CONTRACT_COLUMNS = (
    *REQUIRED_COLUMNS,
    *WATCH_COLUMNS,
    *FLAG_COLUMNS,
    AUTHOR_ID,
    TAGS,
    FIRST_LAUNCH,
    UPLOAD,
    PRIOR_VIEWS,
)

VIDEO_FEATURES = ("video_age_hours", "video_impressions", "is_new_video")
USER_FEATURES = (
    "avc",
    "hours_since_first_launch",
    "active_days_7",
    "is_new_user",
    "user_group",
    "history_video_ids",
    "history_author_ids",
    "history_tags",
    "history_gap_ms",
)
# A hash of the user's id among the model's inputs; GAUC in training reads it.
USER_KEY = "user_key"
# The user's group as its place in USER_GROUPS from 1 on; 0 is none of them.
USER_GROUP_INDEX = "user_group"
# What an impression counts in the loss, where a column of the log says so.
SAMPLE_WEIGHT = "sample_weight"
USER_GROUPS = ("new", "returning", "inactive", "regular")
LONG_VIEW = "long_view"
# Stands for a label that is not known where a number must stand: behind the Transform,
# in training and in evaluation. In the feature table such a label is null.
UNKNOWN_LABEL = -1

# Where a row came from. Only between reading and the removal of duplicates.
SOURCE_FILE = "__source_file"
SOURCE_ROW = "__source_row"
# What made a row of a raw table unreadable before it had the contract's columns; null
# where nothing did. Only between reading and validation, and only where something did.
SOURCE_PROBLEM = "__source_problem"
