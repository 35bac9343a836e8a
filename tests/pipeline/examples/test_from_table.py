"""A ready feature table gives the examples that its log gives."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.types import standard_artifacts

from pipeline.config import LogConfig
from pipeline.examples.example_files import serialized_batches
from pipeline.examples.example_gen import ImpressionExampleGen
from pipeline.examples.executor import Executor
from pipeline.examples.places import SUMMARY_FILE
from preprocessing.arrays.days import MS_PER_DAY
from preprocessing.checks.counts import RejectLimitExceeded
from preprocessing.engine.feature_settings import SettingsError
from preprocessing.engine.feature_table import open_feature_table
from preprocessing.engine.write_table import write_feature_table
from preprocessing.state.files import open_state
from preprocessing.storage.files import SourceError

ROWS = 900
VALUES = {
    "source": {"format": "parquet"},
    "features": {"labels": {"long_view": {"rule": "long_view"}}, "shards": 3},
    "split": {"train_days": 2, "eval_days": 1},
}
CONFIG = LogConfig.model_validate(VALUES)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A log and its feature table."""
    root = tmp_path_factory.mktemp("table")
    random = np.random.default_rng(3)
    durations = np.where(np.arange(ROWS) == 5, -1, 900)
    rows = pa.table(
        {
            "user_id": [f"u{user}" for user in random.integers(30, size=ROWS)],
            "video_id": [f"v{video}" for video in random.integers(50, size=ROWS)],
            "event_time_ms": 19_000 * MS_PER_DAY
            + random.integers(3 * MS_PER_DAY, size=ROWS),
            "play_time_ms": random.integers(900, size=ROWS),
            "video_duration_ms": durations,
        }
    )
    (root / "log").mkdir()
    pq.write_table(rows, root / "log" / "rows.parquet")
    write_feature_table(
        CONFIG.source, CONFIG.features, str(root / "log"), str(root / "table")
    )
    return root


@pytest.fixture
def make(folders, tmp_path):
    def do(name, config=CONFIG, **options):
        component = ImpressionExampleGen(
            str(folders / name),
            config.model_dump_json(),
            str(tmp_path / name / "rejects"),
            **options,
        )
        made = standard_artifacts.Examples()
        made.uri = str(tmp_path / name / "examples")
        (tmp_path / name).mkdir()
        Executor().Do({}, {"examples": [made]}, dict(component.exec_properties))
        return contents(made.uri, tmp_path / name / "rejects")

    return do


def contents(folder, rejects):
    found = {"rejects": pq.read_table(sorted(rejects.glob("*.parquet"))).to_pylist()}
    for split in ("train", "eval"):
        batches = serialized_batches(f"{folder}/Split-{split}")
        found[split] = sorted(e for batch in batches for e in batch.numpy())
    state = open_state(folder, CONFIG.features)
    rows = [str(r) for f in state.files for r in pq.read_table(f.path).to_pylist()]
    with open(f"{folder}/{SUMMARY_FILE}") as file:
        return {**found, "state": sorted(rows), "summary": json.load(file)}


@pytest.mark.parametrize("split", [{}, {"by": "user", "train_user_share": 0.5}])
def test_a_table_and_its_log_give_the_same(make, split):
    config = LogConfig.model_validate({**VALUES, "split": {**VALUES["split"], **split}})
    of_table = make("table", config, of_features=True)
    assert of_table == make("log", config)
    assert len(of_table["train"]) > 300
    assert len(of_table["rejects"]) == 1


def test_a_table_of_other_settings_is_refused(make):
    features = {**VALUES["features"], "history_length": 4}
    config = LogConfig.model_validate({**VALUES, "features": features})
    with pytest.raises(SettingsError, match=r"features\.history_length by default"):
        make("table", config, of_features=True)


def test_the_limit_of_rejects_holds_for_a_table(make):
    features = {**VALUES["features"], "max_reject_rate": 0}
    config = LogConfig.model_validate({**VALUES, "features": features})
    with pytest.raises(RejectLimitExceeded, match="negative: 1"):
        make("table", config, of_features=True)


def test_a_table_that_is_not_whole_is_refused(folders, tmp_path):
    with pytest.raises(SourceError, match=r"summary\.json is missing"):
        open_feature_table(str(folders / "log"), CONFIG.features)
    whole = json.loads((folders / "table" / "summary.json").read_text())
    del whole["features"]
    (tmp_path / "summary.json").write_text(json.dumps(whole))
    with pytest.raises(SettingsError, match="earlier release"):
        open_feature_table(str(tmp_path), CONFIG.features)


def test_a_table_has_its_own_state_and_days():
    for option in ({"state_dir": "monday"}, {"last_day": "2022-01-09"}):
        with pytest.raises(ValueError, match="give no others"):
            ImpressionExampleGen("d", "{}", "r", of_features=True, **option)
