"""Advertising and shops: Criteo's attribution data, Taobao's user behaviour."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from tests.helpers.foreign_logs.views import Written, draw_views

_ROWS = 2000
_CRITEO = (
    "timestamp uid campaign conversion conversion_timestamp conversion_id attribution "
    "click click_pos click_nb cost cpo time_since_last_click "
    + " ".join(f"cat{number}" for number in range(1, 10))
)


def write_criteo(folder: Path) -> Written:
    """`criteo_attribution_dataset.tsv.gz`: seconds count from the log's own start."""
    views = draw_views(_ROWS, users=150, items=30, days=10, first_s=0)
    random = np.random.default_rng(2)
    lines = [_CRITEO.replace(" ", "\t")]
    for row, second in enumerate(views.time_s.tolist()):
        click = int(views.liked[row])
        converted = int(click and random.random() < 0.3)
        conversion = (second + 5000, 10**6 + row) if converted else (-1, -1)
        position, clicks = (0, 1) if converted else (-1, -1)
        since = int(random.integers(60, 90_000)) if random.random() < 0.4 else -1
        cells = [second, 10_000 + views.user[row], 5_000_000 + views.item[row]]
        cells += [converted, *conversion, converted, click, position, clicks]
        cells += [
            f"{random.gamma(2) * 1e-5:.6g}",
            f"{random.gamma(3) * 0.1:.4f}",
            since,
        ]
        cells += [
            30_000_000 + int(views.item[row] % 7 + number * random.integers(3))
            for number in range(9)
        ]
        lines.append("\t".join(map(str, cells)))
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / "criteo_attribution_dataset.tsv.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    return Written(_ROWS, {"click": int(views.liked.sum())})


def write_taobao(folder: Path) -> Written:
    """`UserBehavior.csv`: user, item, category, behaviour, seconds; no header."""
    views = draw_views(_ROWS, users=100, days=9, first_s=1_511_539_200)
    random = np.random.default_rng(4)
    further = random.choice(["cart", "fav", "buy"], _ROWS, p=[0.5, 0.3, 0.2])
    lines = [
        f"{user + 1},{2_268_318 + 7 * item},{4_000_000 + group},"
        f"{further[row] if liked else 'pv'},{second}"
        for row, (user, item, group, second, liked, _) in enumerate(
            zip(*(column.tolist() for column in views), strict=True)
        )
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "UserBehavior.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    bought = int((views.liked * (further == "buy")).sum())
    return Written(_ROWS, {"engaged": int(views.liked.sum()), "buy": bought})
