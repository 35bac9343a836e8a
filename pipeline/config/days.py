"""A job that runs day after day (`poso run --date`, `poso backfill`)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.config.section import Section


class DaysConfig(Section):
    """What a run of a date does while the day's impressions are not there."""

    unready: Literal["fail", "wait", "skip"] = Field(
        "fail",
        description="What to do about a day that has no impressions, or too few "
        "(split.min_eval_share): fail; wait until they come; or skip the day, which "
        "the next day's run then trains on, as far as it has come by then.",
    )
    wait_hours: float = Field(
        6, gt=0, description="wait: for so long at most; then the run fails."
    )
    poll_minutes: float = Field(
        10,
        gt=0,
        description="wait: between two looks at the log's files. The log is read again "
        "only if they have changed.",
    )
