"""The opponent: the same output by polars, in one process on all cores.

What makes it fast, each step tried against others:

- Ids become categoricals, so that sorts and copies move 4 bytes and Parquet gets its
  dictionaries ready-made.
- One sort by a packed integer key (user, time); from then on nothing is grouped or
  joined: starts of users and ties are forward fills, counts are differences of row
  numbers.
- A history is a slice of one list that holds a whole column; polars cuts these slices
  without an index per element.
- Histories are built and written part by part: the pages of one part are used again
  for the next, which beats asking the system for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from benchmarks.feature_engine.polars_rates import with_rates
from benchmarks.feature_engine.row_rules import COUNTS, FLAGS, TEXTS, TIME_RULES, TIMES
from preprocessing import FeatureConfig
from preprocessing.checks.duplicates import duplicate_reason
from preprocessing.contract.column_names import USER_GROUPS
from preprocessing.contract.schema import MAX_TIME_MS, impression_schema
from preprocessing.features.columns import feature_schema

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PART_ROWS = 131_072

_TIME = pl.col("event_time_ms")


def build(log_dir: str, out_dir: str, config: FeatureConfig) -> None:
    """Reads a Parquet log, writes `features/` and `rejects/` into a folder."""
    accepted, rejects = _read(log_dir, config)
    log, repeated = _without_duplicates(_by_user_and_time(accepted), config)
    _write_rejects([rejects, repeated], out_dir, config)
    log = _with_user_columns(_with_video_columns(log, config), config)
    log = with_rates(log, config)
    for number, part in enumerate(_parts(log)):
        table = _with_histories(part).select(feature_schema(config).names)
        table.write_parquet(
            f"{out_dir}/features/part-{number:05d}.parquet",
            compression="snappy",
            mkdir=True,
        )


def _read(log_dir: str, config: FeatureConfig) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that keep the contract, and the others with a `reason`."""
    schema = impression_schema(config)
    required = {field.name for field in schema if not field.nullable}
    rows = (
        pl.scan_parquet(f"{log_dir}/*.parquet", include_file_paths="source")
        .select(*schema.names, "source")
        .with_columns(reason=_reason(schema.names, required))
        .collect()
    )
    rejects = rows.filter(pl.col("reason").is_not_null())
    accepted = rows.filter(pl.col("reason").is_null()).drop("reason")
    return accepted, rejects


def _reason(names: list[str], required: set[str]) -> pl.Expr:
    """The first rule that a row breaks, in the order of the columns; null: none."""
    broken: list[tuple[pl.Expr, str]] = []
    for name in names:
        column = pl.col(name)
        if name in required:
            empty = column == "" if name in TEXTS else pl.lit(False)
            broken.append((column.is_null() | empty, f"{name} is missing"))
        if name in FLAGS:
            broken.append((~column.is_in([0, 1]), f"{name} is not 0 or 1"))
        elif name in COUNTS:
            broken.append((column < 0, f"{name} is negative"))
            broken.append((column > MAX_TIME_MS, f"{name} is out of range"))
        elif name in TIMES:
            broken += [
                (column.is_between(first, last), f"{name} {problem}")
                for first, last, problem in TIME_RULES
            ]
    return pl.coalesce(pl.when(rule).then(pl.lit(text)) for rule, text in broken)


def _by_user_and_time(accepted: pl.DataFrame) -> pl.DataFrame:
    """Sorted by user, time and, for ties, video, author and first tag as text."""
    texts = [n for n, kind in accepted.schema.items() if kind == pl.String]
    texts.remove("source")
    log = accepted.with_row_index("place").with_columns(
        pl.col(text).replace("", None).cast(_codes_of(text)) for text in texts
    )
    log = log.with_columns(
        pl.col(FLAGS).cast(pl.Int64),
        user=pl.col("user_id").to_physical().cast(pl.Int64),
        video=pl.col("video_id").to_physical().cast(pl.Int64),
        author=pl.col("author_id").fill_null("").cast(_codes_of("author_id")),
        tag=pl.col("video_tags").list.first().fill_null("").cast(_codes_of("tag")),
    )
    # Row numbers of a narrow sort: sorting the wide table costs three times as much.
    keys = log.select(
        _packed("user").alias("key"), "video_id", "author", "tag", "place"
    )
    return log[keys.sort(pl.all())["place"]]


def _codes_of(column: str) -> pl.Categorical:
    """Texts of a column as codes of its own: dictionaries stay small."""
    return pl.Categorical(pl.Categories(column))


def _packed(code: str) -> pl.Expr:
    """A code and the time as one integer: the sort then looks at one column."""
    span = _TIME.max() - _TIME.min() + 1
    return pl.col(code) * span + (_TIME - _TIME.min())


def _without_duplicates(
    log: pl.DataFrame, config: FeatureConfig
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Duplicates are neighbours; few rows have a neighbour of equal keys at all."""
    names = impression_schema(config).names
    same = [pl.col(n) == pl.col(n).shift() for n in ("user", "event_time_ms", "video")]
    log = log.with_columns(again=pl.all_horizontal(same).fill_null(False))
    suspects = log.filter(pl.col("again") | pl.col("again").shift(-1))
    repeated = suspects.filter(~pl.struct(names).is_first_distinct())
    if repeated.height:
        log = log.filter(~pl.col("place").is_in(repeated["place"].implode()))
    reason = pl.lit(duplicate_reason(names))
    return log.with_row_index("row"), repeated.with_columns(reason=reason)


def _with_video_columns(log: pl.DataFrame, config: FeatureConfig) -> pl.DataFrame:
    keys = log.select("row", "video", key=_packed("video")).sort("key")
    earlier = keys.select("row", n=_starts("key") - _starts("video")).sort("row")
    age_ms = _TIME - pl.col("video_upload_ms")
    limits = config.new_video
    young = age_ms.is_between(0, limits.max_days * DAY_MS)
    return log.with_columns(
        earlier["n"].alias("video_impressions"),
        video_age_hours=_hours(pl.when(age_ms >= 0).then(age_ms)),
    ).with_columns(
        is_new_video=_as_flag(
            young & (pl.col("video_impressions") < limits.max_impressions)
        )
    )


def _with_user_columns(log: pl.DataFrame, config: FeatureConfig) -> pl.DataFrame:
    log = log.with_columns(
        day=_day(config),
        user_start=_starts("user"),
        tie_start=_starts("user", "event_time_ms"),
    )
    start, tie = pl.col("user_start"), pl.col("tie_start")
    since_launch = _TIME - pl.col("user_first_launch_ms")
    is_new = since_launch <= (config.new_user.max_hours or 0) * HOUR_MS
    log = log.with_columns(
        _active_days(log),
        avc=tie - start + pl.col("prior_view_count").fill_null(0),
        hours_since_first_launch=_hours(since_launch),
        is_new_user=_as_flag(is_new),
        came_before=pl.col("day").gather(start) < pl.col("day"),
        history_start=pl.max_horizontal(start, tie - config.history_length),
        **_labels(config),
    )
    return log.with_columns(user_group=_group())


def _day(config: FeatureConfig) -> pl.Expr:
    """Days since 1970 where the users live."""
    if config.time_zone is not None:
        clocks = pl.from_epoch(_TIME, "ms").dt.replace_time_zone("UTC")
        local = clocks.dt.convert_time_zone(config.time_zone)
        return local.dt.date().cast(pl.Int32).cast(pl.Int64)
    offset_ms = round((config.utc_offset_hours or 0) * HOUR_MS)
    return (_TIME + offset_ms) // DAY_MS


def _active_days(log: pl.DataFrame) -> pl.Series:
    """Distinct days of the 7 before; found once for each user's day."""
    first = _first("user", "day")
    days = log.filter(first).select("user", "day")
    known = [
        (pl.col("user") == pl.col("user").shift(back))
        & (pl.col("day") - pl.col("day").shift(back) <= 7)
        for back in range(1, 8)
    ]
    active = days.select(pl.sum_horizontal(_as_flag(one) for one in known))
    which = log.select(first.cum_sum().cast(pl.Int64) - 1).to_series()
    return active.to_series().gather(which).alias("active_days_7")


def _group() -> pl.Expr:
    new, returning, inactive, regular = USER_GROUPS
    active = pl.col("active_days_7")
    return (
        pl.when(pl.col("is_new_user") == 1)
        .then(pl.lit(new))
        .when(pl.col("came_before") & (active == 0))
        .then(pl.lit(returning))
        .when((active == 1) | (active == 2))
        .then(pl.lit(inactive))
        .otherwise(pl.lit(regular))
        .cast(pl.Enum(USER_GROUPS))
    )


def _labels(config: FeatureConfig) -> dict[str, pl.Expr]:
    labels = {}
    play, length = pl.col("play_time_ms"), pl.col("video_duration_ms")
    for name, label in config.labels.items():
        if label.column is not None:
            labels[name] = pl.col(label.column)
        elif label.rule == "finish_view":
            labels[name] = _as_flag(play >= length)
        else:
            labels[name] = _as_flag(play * 100.0 >= length * label.percent)
    return labels


def _parts(log: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Whole users, about `PART_ROWS` rows at a time."""
    lengths = (log["user_start"] // PART_ROWS).rle().struct.field("len")
    start = 0
    for length in lengths:
        yield log.slice(start, length)
        start += length


def _with_histories(part: pl.DataFrame) -> pl.DataFrame:
    begin = pl.col("history_start") - pl.col("row").first()
    length = pl.col("tie_start") - pl.col("history_start")

    def past(column: pl.Expr) -> pl.Expr:
        return column.implode().list.slice(begin, length)

    def past_texts(name: str) -> pl.Expr:
        # polars 2.0 forgets on the way that the slices are of categoricals.
        codes, kind = past(pl.col(name).to_physical()), part.schema[name]
        return codes.list.eval(pl.element().cat.to(kind))

    return part.with_columns(
        history_video_ids=past_texts("video_id"),
        history_author_ids=past_texts("author"),
        history_tags=past_texts("tag"),
        history_gap_ms=_TIME - past(_TIME),
    )


def _write_rejects(
    parts: list[pl.DataFrame], out_dir: str, config: FeatureConfig
) -> None:
    names = impression_schema(config).names
    rejects = pl.concat(
        part.select(
            pl.struct(pl.col(names)).struct.json_encode().alias("row"),
            "reason",
            pl.col("source").str.split("/").list.last(),
        )
        for part in parts
    )
    rejects.write_parquet(
        f"{out_dir}/rejects/part-00000.parquet", compression="snappy", mkdir=True
    )


def _first(*keys: str) -> pl.Expr:
    """Whether a row is the first of its run of equal keys."""
    return pl.any_horizontal(pl.col(k) != pl.col(k).shift() for k in keys).fill_null(
        True
    )


def _starts(*keys: str) -> pl.Expr:
    """The number of the first row of each row's run of equal keys."""
    row = pl.int_range(pl.len())
    return pl.when(_first(*keys)).then(row).forward_fill()


def _hours(duration_ms: pl.Expr) -> pl.Expr:
    return (duration_ms / HOUR_MS).cast(pl.Float32)


def _as_flag(condition: pl.Expr) -> pl.Expr:
    return condition.fill_null(False).cast(pl.Int64)
