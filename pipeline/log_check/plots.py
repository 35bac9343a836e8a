"""The plots of a check's page, each as an SVG string."""

from __future__ import annotations

import datetime
import io
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from pipeline.log_check.numbers.days import Day
from pipeline.log_check.numbers.gathered import Numbers
from pipeline.log_check.numbers.label_rates import ALL
from pipeline.log_check.numbers.lengths import in_steps
from preprocessing.contract.column_names import USER_GROUPS

matplotlib.use("svg")

_WIDTH, _HEIGHT = 4.6, 2.8
_MOST_BARS = 120
_EPOCH = datetime.date(1970, 1, 1)
_THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")


def day_plots(days: Sequence[Day], calendar: str, hours: Sequence[int]) -> str:
    """Impressions and users by day, those first seen, and the hours of the day."""
    figure, axes = _figure(3)
    dates = [_EPOCH + datetime.timedelta(days=day.day) for day in days]
    _by_day(axes[0], dates, [day.rows for day in days], "all")
    _by_day(axes[0], dates, [day.new_user_rows for day in days], "of new users")
    axes[0].set_title("impressions by day")
    marker = "." if len(days) <= _MOST_BARS else None
    for name, title in (("users", "users"), ("first_seen_users", "users, first seen")):
        values = [getattr(day, name) for day in days]
        axes[1].plot(dates, values, marker=marker, label=title)
    videos = [day.first_seen_videos for day in days]
    axes[1].plot(dates, videos, marker=marker, label="videos, first seen")
    axes[1].set_title("users and videos by day")
    for axis in axes[:2]:
        axis.legend(fontsize=7)
        locator = AutoDateLocator(minticks=3, maxticks=8)
        axis.xaxis.set_major_locator(locator)
        axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes[2].bar(range(len(hours)), hours, color="C0")
    axes[2].set_title(f"impressions by hour, {calendar}")
    axes[2].set_xticks(range(0, 24, 4))
    return _svg(figure, axes)


def group_plot(numbers: Numbers) -> str:
    """Label rates and play time of each group over those of regular users (Fig. 1a)."""
    base = numbers.groups["regular"]
    if not base.rows:
        base = numbers.groups[ALL]
    shown = [name for name in USER_GROUPS if numbers.groups[name].rows]
    bars: dict[str, list[float]] = {}
    for label, count in base.labels.items():
        if count.rate:
            rates = [numbers.groups[name].labels[label].rate for name in shown]
            bars[label] = [(rate or 0.0) / count.rate for rate in rates]
    if base.mean_play_ms:
        times = [numbers.groups[name].mean_play_ms for name in shown]
        bars["play time"] = [(time or 0.0) / base.mean_play_ms for time in times]
    if not bars:
        return ""
    figure, (axis,) = _figure(1, 2 * _WIDTH)
    width = 0.8 / len(shown)
    for place, name in enumerate(shown):
        at = np.arange(len(bars)) + width * (place - (len(shown) - 1) / 2)
        axis.bar(at, [values[place] for values in bars.values()], width, label=name)
    axis.axhline(1, color="0.3", lw=0.8)
    axis.set_xticks(range(len(bars)), list(bars))
    who = "regular users" if base is numbers.groups["regular"] else "all users"
    axis.set_title(f"rate of 1 and play time, as a multiple of those of {who}")
    axis.legend(fontsize=7)
    return _svg(figure)


def length_plots(numbers: Numbers) -> str:
    """Users by their impressions, and impressions by the length of their history."""
    figure, axes = _figure(2)
    for axis, counts, title in (
        (axes[0], numbers.lengths.rows_of_users, "users by impressions"),
        (axes[1], numbers.lengths.histories, "impressions by length of history"),
    ):
        steps = in_steps(counts)
        axis.bar(range(len(steps)), [count for _, count in steps])
        names = [name.replace(" to ", "-") for name, _ in steps]
        axis.set_xticks(range(len(steps)), names, rotation=40, ha="right", fontsize=7)
        axis.set_title(title)
    return _svg(figure, axes)


def _by_day(
    axis: Any, dates: Sequence[datetime.date], values: Sequence[int], name: str
) -> None:
    """A bar for each day; of more than can be told apart, their outline."""
    if len(dates) <= _MOST_BARS:
        axis.bar(dates, values, label=name)
    else:
        axis.fill_between(dates, values, step="mid", label=name)


def _figure(columns: int, width: float = _WIDTH) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width * columns, _HEIGHT), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _svg(figure: Figure, counted: Sequence[Any] = ()) -> str:
    """The figure's text; the given axes have whole numbers from 0 on."""
    for axis in counted:
        axis.yaxis.set_major_formatter(_THOUSANDS)
        axis.set_ylim(bottom=0)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
