"""The example of docs/data.md reads the log beside it."""

import gzip
import re

import yaml

from pipeline.config import RunConfig
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.engine.rate_settings import rate_differences


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


def test_the_rates_and_their_codes_are_a_configuration(pytestconfig):
    page = (pytestconfig.rootpath / "docs/data.md").read_text(encoding="utf-8")
    section = page.split("\n## Rates of earlier impressions\n")[1].split("\n## ")[0]
    counted, read = map(
        yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```$", section, re.M | re.S)
    )
    labels = {"long_view": {"rule": "long_view"}, "like": {"column": "is_like"}}
    written = RunConfig.model_validate(
        {
            "source": {"format": "parquet"},
            "features": {**counted["features"], "labels": labels},
            "tasks": {"like": {}},
            **read,
        }
    )
    assert [code.input for code in written.model.codes_of("attention")] == [
        "video_long_view_count"
    ]
    # The block shows what `{}` takes.
    by_default = FeatureConfig(labels=labels, rates={})
    assert rate_differences(by_default, written.features) == []
