"""What people rated or played: MovieLens, Amazon reviews, Last.fm."""

from __future__ import annotations

import datetime
import uuid
from pathlib import Path

import numpy as np

from tests.helpers.foreign_logs.views import Written, draw_views

_ROWS = 2400
_YEARS = 4 * 365


def write_movielens(folder: Path) -> Written:
    """`ratings.csv` of ml-20m and ml-25m alone."""
    views = draw_views(_ROWS, days=_YEARS)
    stars = _stars(
        views.liked,
        {2.0: 0.2, 3.0: 0.4, 3.5: 0.15, 4.0: 0.25},
        {3.5: 0.1, 4.0: 0.4, 4.5: 0.2, 5.0: 0.3},
    )
    rows = zip(views.user + 1, views.item + 1, stars, views.time_s, strict=True)
    lines = ["userId,movieId,rating,timestamp", *(_csv(row) for row in rows)]
    _write(folder / "ratings.csv", lines)
    return Written(_ROWS, {"liked": sum(rating >= 4 for rating in stars)})


def write_amazon(folder: Path) -> Written:
    """Ratings only: user, item, rating, timestamp; no header, most ratings high."""
    views = draw_views(_ROWS, users=200, days=_YEARS)
    stars = _stars(
        views.liked,
        {1.0: 0.2, 3.0: 0.2, 4.0: 0.2, 5.0: 0.4},
        {4.0: 0.1, 5.0: 0.9},
    )
    day_s = views.time_s // 86_400 * 86_400  # reviews are dated, not timed
    lines = [
        f"A{user * 7919 + 10**9:013X},B00{item * 104729 + 10**6:07X},{rating:.1f},{at}"
        for user, item, rating, at in zip(
            views.user.tolist(), views.item.tolist(), stars, day_s, strict=True
        )
    ]
    _write(folder / "ratings_Beauty.csv", lines)
    return Written(_ROWS, {"liked": sum(rating >= 5 for rating in stars)})


def write_lastfm(folder: Path) -> Written:
    """The plays of lastfm-dataset-1K: the file's name has the columns' names."""
    views = draw_views(_ROWS, days=_YEARS)
    lines = []
    for row, second in enumerate(views.time_s.tolist()):
        moment = datetime.datetime.fromtimestamp(second, datetime.timezone.utc)
        artist, track = int(views.group[row]), int(views.item[row])
        known = row % 20 > 0  # many tracks have no id
        lines.append(
            f"user_{views.user[row] + 1:06d}\t{moment:%Y-%m-%dT%H:%M:%SZ}\t"
            f"{_uuid(1000 + artist)}\tArtist {artist}\t"
            f'{_uuid(track) if known else ""}\tA "Track" of {track}'
        )
    name = "userid-timestamp-artid-artname-traid-traname.tsv"
    _write(folder / name, lines)
    people = ["#id\tgender\tage\tcountry\tregistered"]
    people += [f"user_{n + 1:06d}\tm\t{20 + n}\tJapan\tAug 13, 2006" for n in range(60)]
    _write(folder / "userid-profile.tsv", people)
    return Written(_ROWS, {"played": _ROWS - _ROWS // 20}, rejects=_ROWS // 20)


def _stars(
    liked: np.ndarray, below: dict[float, float], above: dict[float, float]
) -> list[float]:
    """Ratings by their probabilities, of what was not liked and of what was."""
    random = np.random.default_rng(3)
    low, high = (
        random.choice([*chances], len(liked), p=[*chances.values()])
        for chances in (below, above)
    )
    return [float(rating) for rating in np.where(liked, high, low)]


def _uuid(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def _csv(row: tuple[object, ...]) -> str:
    return ",".join(map(str, row))


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
