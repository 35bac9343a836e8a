"""Rates in Beam are those of the engine in threads, bit for bit."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing import SourceConfig, write_feature_table
from preprocessing.contract.config import FeatureConfig
from preprocessing.state.files import open_state, read_state
from tests.helpers.log_rows import HOUR, LABELS, impression, log_table
from tests.helpers.rate_cases import rated

pytestmark = pytest.mark.e2e

SUBJECTS = {
    "video": {},
    "author": {"half_life_days": 1.5},
    "tag": {},
    "user": {},
    "user_x_tag": {"half_life_days": 3},
}
CONFIG = rated(
    FeatureConfig(labels=LABELS, shards=3, max_reject_rate=1.0), {"subjects": SUBJECTS}
)
PARQUET = SourceConfig(format="parquet")
BEAM = ["--direct_running_mode=in_memory"]


def days(count):
    for day in range(count):
        yield [
            impression(
                f"u{i % 5}",
                f"v{i % 7}",
                at=day * 24 * HOUR + i // 2 * HOUR,
                author_id=None if i == 3 else f"a{i % 3}",
                video_tags=[["s"], ["t", "s"], [], None][i % 4],
                is_like=(i * day) % 2,
                play_time_ms=i,
            )
            for i in range(20)
        ]


def in_days(folder, beam_args):
    """Features and rates' state of each day, on the state of the day before."""
    state, found = None, []
    for number, log in enumerate(days(3)):
        data, out = folder / f"log{number}", str(folder / f"out{number}")
        data.mkdir(parents=True)
        pq.write_table(log_table(log, CONFIG), data / "part.parquet")
        write_feature_table(
            PARQUET, CONFIG, str(data), out, state, beam_args=beam_args, threads=2
        )
        state = out
        features = pq.read_table(f"{out}/features").to_pylist()
        files = open_state(out, CONFIG).rate_files
        counts = pa.concat_tables(t for file in files for t in read_state(file))
        found.append((_in_order(features), _in_order(counts.to_pylist())))
    return found


def _in_order(rows):
    return sorted(map(repr, rows))


def test_days_in_beam_equal_those_in_threads(tmp_path):
    found = in_days(tmp_path / "threads", None)
    assert in_days(tmp_path / "beam", BEAM) == found
    assert all(counts for _, counts in found)
