"""Feeds of videos and news: KuaiRand, KuaiRec, MIND."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np

from tests.helpers.foreign_logs.views import Views, Written, draw_views
from tests.helpers.kuairand_files import LOG_HEADER

_ROWS = 2000


def write_kuairand(folder: Path) -> Written:
    """The three official tables of KuaiRand-Pure."""
    views = draw_views(_ROWS)
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(1)
    lines = [LOG_HEADER]
    for row, second in enumerate(views.time_s.tolist()):
        long_view = int(views.depth[row] > 0.8)
        follow = int(random.random() < 0.05)
        lines.append(
            f"{views.user[row]},{views.item[row]},20220425,2300,{second * 1000},"
            f"{int(views.depth[row] > 0.5)},{views.liked[row]},{follow},0,0,0,"
            f"{long_view},{int(views.depth[row] * 9000)},9000,0,0,0,0,{row % 3}"
        )
    _write(folder / "log_standard_4_22_to_5_08_pure.csv", lines)
    columns = "author_id,video_type,upload_dt,upload_type,music_type,tag"
    videos = [f"video_id,{columns}"]
    videos += [
        f"{item},{900 + item % 10},NORMAL,2022-04-{10 + item % 9},ShortImport,9,"
        f'"{item % 7},{item % 5}"'
        for item in range(40)
    ]
    _write(folder / "video_features_basic_pure.csv", videos)
    users = ["user_id,user_active_degree,register_days"]
    users += [f"{user},full_active,{100 + user}" for user in range(60)]
    _write(folder / "user_features_pure.csv", users)
    return Written(_ROWS, {"like": int(views.liked.sum())})


def write_kuairec(folder: Path) -> Written:
    """`big_matrix.csv` of KuaiRec; `time` is China's clock, `timestamp` is UTC."""
    views = draw_views(_ROWS)
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "user_id,video_id,play_duration,video_duration,time,date,timestamp,watch_ratio"
    ]
    long_views = 0
    for row, second in enumerate(views.time_s.tolist()):
        moment = second + 0.438
        china = datetime.datetime.fromtimestamp(
            moment, datetime.timezone(datetime.timedelta(hours=8))
        )
        length = 6000 + 500 * int(views.item[row])
        play = int(views.depth[row] * length)
        long_views += play * 100 >= 60 * length
        lines.append(
            f"{views.user[row]},{views.item[row]},{play},{length},"
            f"{china:%Y-%m-%d %H:%M:%S}.438,{china:%Y%m%d},{moment:.3f},{play / length}"
        )
    _write(folder / "big_matrix.csv", lines)
    users = ["user_id,user_active_degree,is_lowactive_period,register_days"]
    users += [f"{user},full_active,0,{100 + user}" for user in range(60)]
    _write(folder / "user_features.csv", users)
    return Written(_ROWS, {"long_view": long_views})


def write_mind(folder: Path) -> Written:
    """`behaviors.tsv` of MIND without a header line, and `news.tsv`."""
    views = draw_views(_ROWS, users=120, days=7)
    folder.mkdir(parents=True, exist_ok=True)
    lines, rows, clicks = [], 0, 0
    for number, chosen in enumerate(_screens(views)):
        first = chosen[0]
        entries = dict.fromkeys(int(views.item[row]) for row in chosen)
        liked = {int(views.item[row]): int(views.liked[row]) for row in chosen}
        moment = datetime.datetime.fromtimestamp(
            int(views.time_s[first]), datetime.timezone.utc
        )
        clock = f"{moment.month}/{moment.day}/{moment.year} {moment:%I:%M:%S %p}"
        shown = " ".join(f"N{10_000 + item}-{liked[item]}" for item in entries)
        history = " ".join(f"N{10_000 + item}" for item in list(entries)[:2])
        user = f"U{13_000 + views.user[first]}"
        lines.append(f"{number + 1}\t{user}\t{clock}\t{history}\t{shown}")
        rows += len(entries)
        clicks += sum(liked.values())
    _write(folder / "behaviors.tsv", lines)
    news = [
        f"N{10_000 + item}\tnews\tnewsus\tTitle {item}\tAn abstract.\thttps://n/{item}"
        "\t[]\t[]"
        for item in range(40)
    ]
    _write(folder / "news.tsv", news)
    return Written(rows, {"clicked": clicks})


def _screens(views: Views) -> list[np.ndarray]:
    """Rows that one user saw at once: of four rows the first one's user sees all."""
    return [np.arange(start, start + 4) for start in range(0, len(views.user), 4)]


def _write(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
