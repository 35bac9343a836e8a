"""The same rows, wherever they lie, are the same feature table."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.engine.write_table import write_feature_table
from preprocessing.storage.files import find_files
from tests.helpers.delta_tables import write_delta
from tests.helpers.log_files import write_logs

DAY = 86_400_000
MAY = 1_651_363_200_000
CONFIG = FeatureConfig(
    labels={
        "long_view": {"rule": "long_view", "percent": 60},
        "bought": {"column": "bought", "missing": "mask"},
    },
    extra=[{"name": "price", "entity": "video", "type": "numeric"}],
    shards=3,
    max_reject_rate=0.5,
)
MAPPING = {
    "columns": {
        "user_id": "uid",
        "event_time_ms": {"column": "at", "unit": "s"},
        "bought": {"column": "behavior", "equals": ["buy"]},
    },
    "where": {"page": ["home", "search"]},
}
FEATURE_ORDER = [("user_id", "ascending"), ("event_time_ms", "ascending")]


def rows(count=400):
    """Rows with nulls, rejects and rows that are not asked for; no ties."""
    return [
        {
            "uid": None if i % 41 == 0 else i % 13,
            "video_id": f"é{i % 7}",
            "at": MAY // 1000 + i * 3 * DAY // 1000 // count + i,
            "play_time_ms": i % 5,
            "video_duration_ms": None if i % 53 == 1 else 5,
            "author_id": None if i % 3 else f"a{i % 7}",
            "video_tags": None if i % 6 == 0 else ["t", f"s{i % 4}"][: i % 3],
            "behavior": [None, "pv", "buy"][i % 5 % 3],
            "price": None if i % 7 == 2 else i % 7 + 0.25,
            "page": ["home", "search", "cart"][i % 3],
        }
        for i in range(count)
    ]


def write(folder, kind, log):
    if kind == "delta":
        for begin in range(0, len(log), 150):
            write_delta(folder, log[begin : begin + 150], by="page")
        return
    files = {f"{begin}/log": log[begin : begin + 150] for begin in (0, 150, 300)}
    write_logs(folder, kind, files)


def written(folder, kind, by):
    files = find_files(str(folder / kind), "*.parquet")
    return pa.concat_tables(pq.read_table(file.path) for file in files).sort_by(by)


@pytest.mark.e2e
@pytest.mark.parametrize(
    "engine",
    [{"threads": 2}, {"beam_args": ["--direct_running_mode=in_memory"]}],
    ids=str,
)
@pytest.mark.parametrize("kind", ["avro", "orc", "delta"])
def test_any_place_gives_the_table_that_parquet_gives(tmp_path, kind, engine):
    log, tables = rows(), {}
    for each in ("parquet", kind):
        write(tmp_path / each, each, log)
        out = tmp_path / f"out-{each}"
        source = SourceConfig(format=each, **MAPPING)
        summary = write_feature_table(
            source, CONFIG, str(tmp_path / each), str(out), **engine
        )
        rejects = written(out, "rejects", [("row", "ascending")])
        tables[each] = (
            summary,
            written(out, "features", FEATURE_ORDER),
            written(out, "state/user_state", [("user_id", "ascending")]),
            written(out, "state/video_state", [("video_id", "ascending")]),
            rejects.select(["row", "reason"]),
        )
    for one, other in zip(tables["parquet"], tables[kind], strict=True):
        assert one == other
    summary = tables[kind][0]
    assert (summary.rows_in, summary.left_out) == (267, 133)
    assert summary.examples > 200
    assert summary.rejects > 5
