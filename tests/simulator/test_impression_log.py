import pyarrow as pa

from simulator.config import DAY_MS

CONTRACT = {
    "user_id": pa.string(),
    "video_id": pa.string(),
    "event_time_ms": pa.int64(),
    "play_time_ms": pa.int64(),
    "video_duration_ms": pa.int64(),
    "is_like": pa.int8(),
    "is_follow": pa.int8(),
    "author_id": pa.string(),
    "video_tags": pa.list_(pa.string()),
    "user_first_launch_ms": pa.int64(),
    "video_upload_ms": pa.int64(),
    "prior_view_count": pa.int64(),
    "user_country": pa.string(),
    "device": pa.string(),
    "network": pa.string(),
}


def test_columns_and_types(log):
    assert dict(zip(log.schema.names, log.schema.types, strict=True)) == CONTRACT
    assert 130_000 < log.num_rows < 180_000
    assert sum(column.null_count for column in log.columns) == 0


def test_rows_keep_the_contract(impressions, config):
    rows = impressions
    assert rows.event_time_ms.between(config.start_ms, config.end_ms - 1).all()
    assert rows.event_time_ms.is_monotonic_increasing
    assert (rows.video_upload_ms <= rows.event_time_ms).all()
    assert (rows.user_first_launch_ms <= rows.event_time_ms).all()
    assert (rows.play_time_ms >= 0).all()
    assert (rows.video_duration_ms > 0).all()
    assert set(rows.is_like) == set(rows.is_follow) == {0, 1}
    assert rows.video_tags.str.len().between(1, 3).all()
    assert all(len(set(tags)) == len(tags) for tags in rows.video_tags[:5000])
    assert not rows.duplicated(["user_id", "event_time_ms"]).any()


def test_what_belongs_to_a_user_or_video_never_changes(impressions):
    of_user = ["user_first_launch_ms", "prior_view_count", "user_country", "device"]
    of_video = ["video_duration_ms", "author_id", "video_upload_ms"]
    assert (impressions.groupby("user_id")[of_user].nunique() == 1).all(axis=None)
    assert (impressions.groupby("video_id")[of_video].nunique() == 1).all(axis=None)


def test_only_users_from_before_the_log_have_views_before_it(impressions, config):
    # A newcomer's first launch is seconds before the first impression.
    established = impressions.user_first_launch_ms < config.start_ms - DAY_MS
    assert (impressions.prior_view_count[established] > 0).all()
    assert (impressions.prior_view_count[~established] == 0).all()


def test_a_user_watches_one_video_at_a_time(impressions):
    played = impressions.groupby("user_id").play_time_ms.shift()
    overlapping = impressions.gap_ms < played
    assert overlapping.mean() < 1e-3  # sessions squeezed into their half hour


def test_popularity_is_skewed_and_the_country_balanced(impressions):
    views = impressions.video_id.value_counts()
    assert views.head(len(views) // 100).sum() > 0.08 * len(impressions)
    countries = impressions.user_country.value_counts(normalize=True)
    assert countries.between(0.15, 0.25).all()
