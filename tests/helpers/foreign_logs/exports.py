"""What companies export: a clickstream in Parquet, a table of a data warehouse."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.helpers.foreign_logs.views import Written, draw_views

_ROWS = 2000


def write_clickstream(folder: Path) -> Written:
    """Events of a shop with ISO times of a zone, in several Parquet files."""
    views = draw_views(_ROWS, users=90, days=10)
    random = np.random.default_rng(6)
    further = random.choice(["add_to_cart", "purchase"], _ROWS, p=[0.7, 0.3])
    zone = datetime.timezone(datetime.timedelta(hours=2))
    table = pa.table(
        {
            "event_id": [f"e{row:07d}" for row in range(_ROWS)],
            "occurred_at": [
                datetime.datetime.fromtimestamp(second, zone).isoformat()
                for second in views.time_s.tolist()
            ],
            "visitor_id": [f"v-{user:05d}" for user in views.user.tolist()],
            "product_id": pa.array(views.item + 1000, pa.int64()),
            "event_type": [
                str(further[row]) if liked else "view"
                for row, liked in enumerate(views.liked.tolist())
            ],
            "device": [("ios", "android", "web")[user % 3] for user in views.user],
            "price": pa.array(9.99 + views.item * 1.5, pa.float64()),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    for part in range(4):
        rows = table.slice(part * _ROWS // 4, _ROWS // 4)
        pq.write_table(rows, folder / f"part-{part:05d}.parquet")
    return Written(_ROWS, {"engaged": int(views.liked.sum())})


def write_warehouse(folder: Path) -> Written:
    """A table of decimals with capital names, in folders by date."""
    views = draw_views(_ROWS, users=80, days=8)
    whole, seconds = pa.decimal128(18, 0), pa.decimal128(12, 3)
    days = views.time_s // 86_400
    for day in np.unique(days).tolist():
        rows = np.flatnonzero(days == day)
        length = 60 + 7 * views.item[rows]
        watched = np.round(views.depth[rows] * length, 3)
        table = pa.table(
            {
                "CUSTOMER_ID": _decimals(views.user[rows] + 10**9, whole),
                "CONTENT_ID": _decimals(views.item[rows] + 500, whole),
                "EVENT_TS": pa.array(views.time_s[rows] * 10**6, pa.timestamp("us")),
                "WATCH_SECONDS": _decimals(watched, seconds),
                "CONTENT_SECONDS": _decimals(length, seconds),
                "LIKED": _decimals(views.liked[rows], pa.decimal128(1, 0)),
                "COUNTRY": [("DE", "FR", "IT")[user % 3] for user in views.user[rows]],
                "LOADED_AT": pa.array(
                    [day * 86_400_000_000] * len(rows), pa.timestamp("us")
                ),
            }
        )
        date = datetime.date(1970, 1, 1) + datetime.timedelta(days=day)
        part = folder / f"dt={date.isoformat()}"
        part.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, part / "000000_0")
    return Written(_ROWS, {"liked": int(views.liked.sum())})


def _decimals(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    return pa.array([Decimal(str(value)) for value in values.tolist()], kind)
