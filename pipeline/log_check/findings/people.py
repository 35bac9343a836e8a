"""Who is new, who is in the log too often, and users without a past."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import RunConfig
from pipeline.log_check.findings.finding import Finding, share_text
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.label_rates import ALL
from pipeline.log_check.numbers.lengths import quantile
from preprocessing.contract.column_names import USER_ID, VIDEO_ID

_MANY_NEW = 0.9
_LEAST_ROWS = 1000
_OF_ONE_USER, _OF_ONE_VIDEO = 0.05, 0.3


def people(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    """What users and videos speak against."""
    if not numbers.examples:
        return
    yield from _new_users(config, numbers)
    yield from _too_often(numbers)
    if quantile(numbers.lengths.rows_of_users, 0.5) <= 1:
        yield Finding(
            "look",
            "short pasts",
            "Half of the users have one impression.",
            "Nothing can be ranked within such a user, and nobody has a history.",
            f"Look at {USER_ID}: it may be of a session or a request.",
        )


def _new_users(config: RunConfig, numbers: Numbers) -> Iterator[Finding]:
    new, total = numbers.groups["new"].rows, numbers.groups[ALL].rows
    by_views = config.features.new_user.max_avc
    if not new and by_views is None and not numbers.clock.launches:
        yield Finding(
            "look",
            "new users",
            "No impression is of a new user: user_first_launch_ms is not known of "
            "anybody, and features.new_user goes by hours since then.",
            "What the model does for new users can be neither learned nor judged.",
            "features.new_user: {max_hours: null, max_avc: 10} goes by views instead.",
        )
    elif not new:
        yield Finding(
            "look",
            "new users",
            "No impression is of a new user, by features.new_user.",
            "What the model does for them can be neither learned nor judged.",
            "Raise features.new_user.max_hours or max_avc, or look at "
            "user_first_launch_ms and prior_view_count.",
        )
    elif new > _MANY_NEW * total:
        yield Finding(
            "look",
            "new users",
            f"{share_text(new, total)} of the impressions are of new users.",
            "There is hardly anybody that they differ from. Counts of views begin at 0 "
            "where the log does not say what came before it.",
            "Lower features.new_user.max_hours or max_avc; give prior_view_count, or "
            "start from the state of an earlier log.",
        )


def _too_often(numbers: Numbers) -> Iterator[Finding]:
    if numbers.examples < _LEAST_ROWS:
        return
    for name, who, most, limit, count in (
        (USER_ID, "user", numbers.top_users[0], _OF_ONE_USER, numbers.users),
        (VIDEO_ID, "video", numbers.top_videos[0], _OF_ONE_VIDEO, numbers.videos),
    ):
        # Where few are in the log, each has a large share of it.
        if most.rows > limit * numbers.examples and count > 10 / limit:
            yield Finding(
                "look",
                f"one {who}",
                f"{share_text(most.rows, numbers.examples)} of the impressions are of "
                f"one {who}, {most.id!r}.",
                "An id for what is not known, or a machine: it is no person's choice "
                "that would be learned."
                if who == "user"
                else "An id for what is not known would be learned as a video.",
                f"If it stands for no {who}, add it to source.null_values, which makes "
                f"its rows rejects for a missing {name}, or leave it out by "
                "source.where.",
            )
