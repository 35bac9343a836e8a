"""Simulated impression logs of given sizes, made once and kept."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from preprocessing import FeatureConfig

ROOT = Path(__file__).parents[2]

# About 47 impressions a user in ten days; videos and authors in the simulator's own
# proportion to users, so that a larger log is a larger feed and not a denser one.
_USERS = {200_000: 4_300, 1_000_000: 21_500, 4_000_000: 86_000}
# Columns of the log as another company keeps it.
RENAMED = {
    "user_id": "uid",
    "video_id": "item",
    "event_time_ms": "ts",
    "play_time_ms": "watched",
    "video_duration_ms": "length",
    "author_id": "artist",
    "is_like": "liked",
}
TAB = "tab"
_CORRUPT_SHARE = 0.01
_INFO = "_log.json"


@dataclass(frozen=True)
class Log:
    """A simulated log.

    Attributes:
        folder: its Parquet files, one per day.
        rows: how many, rejects included.
    """

    folder: Path
    rows: int


def demo_features(rates: bool = False) -> FeatureConfig:
    """The features of `configs/demo.yaml`, the configuration for simulated logs.

    Args:
        rates: Whether to add the rates of the default subjects, of all labels.
    """
    text = (ROOT / "configs" / "demo.yaml").read_text(encoding="utf-8")
    features = {**yaml.safe_load(text)["features"], "rates": {} if rates else None}
    return FeatureConfig(**features)


def simulated_log(size: int, cache: Path) -> Log:
    """Returns the log of about `size` impressions; the first call simulates it.

    Of its rows 1 % break the contract or are duplicates.

    Args:
        size: 200_000, 1_000_000 or 4_000_000; others have proportionally many users.
        cache: folder that keeps the logs.
    """
    folder = cache / f"{size}"
    if not (folder / _INFO).exists():
        # A process of its own: what it needed to simulate is given back.
        code = f"from {__name__} import make_log; make_log({size}, {str(folder)!r})"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    rows = json.loads((folder / _INFO).read_text(encoding="utf-8"))["rows"]
    return Log(folder, rows)


def renamed_log(log: Log) -> Log:
    """The same log as another company keeps it; the first call writes it.

    Columns have the names of `RENAMED`, its times are in microseconds, and a column
    `TAB` has 0 and 1.
    """
    folder = log.folder.with_name(f"{log.folder.name}-renamed")
    if not (folder / _INFO).exists():
        code = (
            f"from {__name__} import rename_log; "
            f"rename_log({str(log.folder)!r}, {str(folder)!r})"
        )
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return Log(folder, log.rows)


def rename_log(folder: str, target: str) -> None:
    """Writes the files of a log under other names and in other units."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    Path(target).mkdir(parents=True, exist_ok=True)
    for file in sorted(Path(folder).glob("*.parquet")):
        table = pq.read_table(file)
        for name, column in RENAMED.items():
            values = table[name]
            if name.endswith("_ms"):
                values = pc.multiply(values, 1000)
            place = table.schema.get_field_index(name)
            table = table.set_column(place, column, values)
        tabs = pa.array([0, 1] * (table.num_rows // 2 + 1))[: table.num_rows]
        pq.write_table(table.append_column(TAB, tabs), Path(target) / file.name)
    info = (Path(folder) / _INFO).read_text(encoding="utf-8")
    (Path(target) / _INFO).write_text(info, encoding="utf-8")


def make_log(size: int, folder: str) -> None:
    """Simulates a log into a folder."""
    from simulator import SimulatorConfig, simulate, write_log

    users = _USERS.get(size, max(100, round(size / 46.5)))
    config = SimulatorConfig(
        users=users,
        videos=max(100, users * 3 // 4),
        authors=max(10, users * 3 // 40),
        corrupt_share=_CORRUPT_SHARE,
    )
    log = simulate(config)
    write_log(log, folder)
    info = json.dumps({"rows": log.num_rows})
    (Path(folder) / _INFO).write_text(info, encoding="utf-8")
