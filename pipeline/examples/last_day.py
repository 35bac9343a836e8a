"""Which day of a log is its last: the newest that is more than a few stray rows."""

from __future__ import annotations

from collections import Counter

# Of a usual day's rows. A day with fewer is one that has only begun, or wrong clocks.
_LEAST_SHARE = 0.1


def last_day(counts: Counter[int], train_days: int, eval_days: int) -> int:
    """The day on which the newest window of a log ends.

    The newest day that has at least a tenth of a usual day's rows: a row whose clock is
    years ahead does not move the window, and a day that has just begun evaluates
    nothing. The usual day is the middle one of the log's `train_days + eval_days`
    fullest days. Where nothing could be trained on before that day, a newer, smaller
    day is taken, or else an older one, if both splits then have rows: a short log is
    used as far as it goes, and a wrong clock does not end a log of a few rows a day.

    Args:
        counts: Rows of each day, by days since 1970.
        train_days: Days of the window to train on.
        eval_days: Days of the window after them, to evaluate on.

    Returns:
        Days since 1970; 0 for a log without rows.
    """
    days = sorted((day for day, count in counts.items() if count), reverse=True)
    if not days:
        return 0
    fullest = sorted(counts.values(), reverse=True)[: train_days + eval_days]
    usual = fullest[(len(fullest) - 1) // 2]
    end = next(day for day in days if counts[day] >= _LEAST_SHARE * usual)
    newer = [day for day in days if day > end]
    older = [day for day in days if day < end and counts[day] >= _LEAST_SHARE * usual]
    for day in (end, *newer, *older):
        first_eval = day - eval_days + 1
        if any(first_eval - train_days <= other < first_eval for other in days):
            return day
    return end
