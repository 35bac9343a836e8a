"""The example of docs/data.md reads the log beside it."""

import gzip
import re

import yaml

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.engine.in_memory import compute_feature_table


def test_the_log_is_read_by_the_settings_beside_it(pytestconfig, tmp_path):
    page = (pytestconfig.rootpath / "docs/data.md").read_text(encoding="utf-8")
    section = page.split("\n## Columns by configuration\n")[1].split("\n## ")[0]
    log, settings = re.findall(r"^```(?:yaml)?\n(.*?)^```$", section, re.M | re.S)[:2]
    folder = tmp_path / "day=2022-05-01"
    folder.mkdir()
    (folder / "part-0.txt.gz").write_bytes(gzip.compress(log.encode()))
    tree = yaml.safe_load(settings)
    table = compute_feature_table(
        SourceConfig(**tree["source"]),
        FeatureConfig(**tree["features"]),
        str(tmp_path),
    )
    [row] = table.features.to_pylist()
    names = ("user_id", "video_id", "event_time_ms", "video_tags", "bought")
    assert [row[name] for name in names] == [
        "u7",
        "v12",
        1_651_399_200_000,
        ["jazz", "live"],
        1,
    ]
    assert (table.rows_in, table.left_out) == (1, 1)
