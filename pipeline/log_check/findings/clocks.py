"""Times that are coarser than they look, and times that contradict one another."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding, share_text
from pipeline.log_check.numbers.clock import Clock
from pipeline.log_check.numbers.gathered import Numbers

_NEARLY_ALL = 0.9
_MANY, _MOST = 0.01, 0.5
_UNSEEN = "Impressions of one time are in none of the others' pasts"


def clocks(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """What the times speak against."""
    clock = numbers.clock
    if clock.rows:
        yield from _coarse(clock)
        yield from _contradicting(clock)


def _coarse(clock: Clock) -> Iterator[Finding]:
    for name, rows in (
        ("a whole day", clock.whole_days),
        ("a whole hour", clock.whole_hours),
        ("a whole minute", clock.whole_minutes),
    ):
        if rows >= _NEARLY_ALL * clock.rows:
            yield Finding(
                "look",
                "coarse times",
                f"{share_text(rows, clock.rows)} of the times are of {name}; "
                f"{share_text(clock.tied, clock.rows)} of the impressions share their "
                "time with another of their user.",
                f"{_UNSEEN}.",
                "Read an exact time if the log has one; a date and a time column are "
                "source.columns: {event_time_ms: {date: ..., time: ...}}",
            )
            return
    if clock.tied >= _MOST * clock.rows:
        yield Finding(
            "note",
            "equal times",
            f"{share_text(clock.tied, clock.rows)} of the impressions share their time "
            "with another of their user.",
            f"{_UNSEEN}. That is right for a list that is shown at once, and wrong "
            "where times were rounded.",
            "Nothing, if lists are shown at once.",
        )


def _contradicting(clock: Clock) -> Iterator[Finding]:
    if clock.same_video_tied >= _MANY * clock.rows:
        yield Finding(
            "look",
            "repeated impressions",
            f"{clock.same_video_tied:,} rows "
            f"({share_text(clock.same_video_tied, clock.rows)}) have user, video and "
            "time of another row, and differ elsewhere.",
            "One impression may be written once for each action on it, which counts it "
            "several times, with labels that contradict one another.",
            "Join such rows when the log is written, or keep one kind by source.where.",
        )
    if clock.before_2000:
        yield Finding(
            "look",
            "old times",
            f"{clock.before_2000:,} impressions are of before the year 2000.",
            "A default of a clock that was not set, or another unit than is read.",
            "Look at event_time_ms and its unit (source.columns).",
        )
    if clock.before_launch > _MANY * clock.launches:
        yield Finding(
            "look",
            "first launch",
            f"{share_text(clock.before_launch, clock.launches)} of the impressions are "
            "of before their user's first launch.",
            "Who is new goes by the first launch; such impressions count as a new "
            "user's.",
            "Look at the unit and the zone of user_first_launch_ms.",
        )
    if clock.before_upload > _MANY * clock.uploads:
        yield Finding(
            "look",
            "upload",
            f"{share_text(clock.before_upload, clock.uploads)} of the impressions are "
            "of before their video's upload.",
            "Their video's age is unknown then, and the video does not count as new.",
            "Look at the unit and the zone of video_upload_ms.",
        )
    if clock.changing_priors > _MANY * clock.users_with_priors:
        yield Finding(
            "look",
            "prior_view_count",
            "prior_view_count changes from row to row for "
            f"{share_text(clock.changing_priors, clock.users_with_priors)} of the "
            "users with several impressions.",
            "It is what a user had seen before the log began. A count that runs on "
            "within the log is counted twice, since impressions of the log are added.",
            "Give each user the count at the log's beginning, or leave the column out.",
        )
