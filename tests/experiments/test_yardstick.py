"""The command on feature tables of made-up logs, whose best trees are known."""

import json
import sys
from collections import Counter
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from cli.main import main
from preprocessing.arrays.days import MS_PER_DAY
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.write_table import write_feature_table
from preprocessing.storage.folder_lock import hold_folder

needs_lightgbm = pytest.mark.skipif(
    find_spec("lightgbm") is None, reason="lightgbm is not installed"
)

ROWS, DAYS, FIRST_DAY = 6000, 4, 19_000
VALUES = {
    "source": {"format": "parquet"},
    "features": {
        "labels": {
            # A matter of the play time alone, which is drawn by lot.
            "long_view": {"rule": "long_view"},
            # A matter of what is known before.
            "like": {"column": "is_like", "missing": "mask"},
        },
        "extra": [{"name": "mood", "entity": "context", "type": "categorical"}],
        "shards": 2,
    },
    "split": {"train_days": 2, "eval_days": 1},
    "tasks": {"long_view": {}, "like": {}},
}


def yardstick(*arguments):
    words = ["experiment", "yardstick", *map(str, arguments)]
    return CliRunner().invoke(main, words)


def log_rows():
    random = np.random.default_rng(3)
    mood = random.integers(3, size=ROWS)
    likes = random.random(ROWS) < np.array([0.1, 0.5, 0.9])[mood]
    return {
        "user_id": [f"u{user}" for user in random.integers(120, size=ROWS)],
        "video_id": [f"v{video}" for video in random.integers(400, size=ROWS)],
        "event_time_ms": FIRST_DAY * MS_PER_DAY
        + random.integers(DAYS * MS_PER_DAY, size=ROWS),
        "play_time_ms": random.integers(1000, size=ROWS),
        "video_duration_ms": np.full(ROWS, 900),
        "mood": [f"m{kind}" for kind in mood],
        "is_like": pa.array(likes.astype(int), mask=random.random(ROWS) < 0.2),
    }


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A log's feature table and the configuration beside it."""
    root = tmp_path_factory.mktemp("yardstick")
    (root / "log").mkdir()
    pq.write_table(pa.table(log_rows()), root / "log" / "rows.parquet")
    text = yaml.safe_dump(VALUES, sort_keys=False)
    (root / "my.yaml").write_text(text, encoding="utf-8")
    write_feature_table(
        SourceConfig.model_validate(VALUES["source"]),
        FeatureConfig.model_validate(VALUES["features"]),
        str(root / "log"),
        str(root / "table"),
    )
    return root


def of_table(folders, *arguments):
    places = ("--features", folders / "table", "--config", folders / "my.yaml")
    return yardstick(*places, *arguments)


@pytest.fixture(scope="module")
def found(folders):
    result = of_table(folders, "--json", "--threads", 1)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def gauc_of(found, task):
    rows = {(row["task"], row["slice"]): row for row in found["slices"]}
    return rows[task, "all"]["gauc"]["lightgbm"]


@needs_lightgbm
@pytest.mark.e2e
def test_the_rows_are_those_of_the_configurations_split(found):
    days = Counter((log_rows()["event_time_ms"] // MS_PER_DAY - FIRST_DAY).tolist())
    assert found["train_impressions"] == days[1] + days[2]
    assert found["eval_impressions"] == days[3]
    assert found["held_out"] == "the last training day, 2022-01-10"


@needs_lightgbm
@pytest.mark.e2e
def test_a_label_of_the_play_time_cannot_be_foreseen(found):
    assert abs(gauc_of(found, "long_view") - 0.5) < 0.05


@needs_lightgbm
@pytest.mark.e2e
def test_what_is_known_before_is_found(found):
    assert gauc_of(found, "like") > 0.75  # the best there is: 0.8
    assert next(iter(found["trees"]["like"]["gains"])) == "mood"
    known = sum(row is not None for row in log_rows()["is_like"].to_pylist())
    share = found["trees"]["like"]["rows"] / found["train_impressions"]
    assert share == pytest.approx(known / ROWS, abs=0.02)


@needs_lightgbm
@pytest.mark.e2e
def test_ids_can_be_left_out(folders, found):
    result = of_table(folders, "--json", "--no-ids", "--threads", 1)
    without = json.loads(result.stdout)
    assert found["left_out"] == {}
    rows = log_rows()
    days = rows["event_time_ms"] // MS_PER_DAY - FIRST_DAY
    trained = {
        v for v, day in zip(rows["video_id"], days, strict=True) if day in (1, 2)
    }
    assert without["left_out"] == {"video_id": len(trained)}
    assert set(found["inputs"]) - set(without["inputs"]) == {"video_id"}


@needs_lightgbm
@pytest.mark.e2e
def test_of_users_who_are_not_trained_on_no_id_is_seen(folders):
    by_user = ("--set", "split.by=user", "--set", "split.train_user_share=0.7")
    result = of_table(folders, "--json", "--threads", 1, *by_user)
    found = json.loads(result.stdout)
    assert found["train_impressions"] + found["eval_impressions"] == ROWS
    assert found["held_out"] == "one user in ten"
    assert "user_id" not in found["inputs"]
    assert 70 < found["left_out"]["user_id"] < 100


@needs_lightgbm
@pytest.mark.e2e
def test_the_tables_are_printed(folders, capfd):
    result = of_table(folders, "--threads", 1)
    printed = capfd.readouterr().out
    assert result.exit_code == 0, result.output
    assert printed.startswith("GAUC")
    assert "\nAUC" in printed
    [line] = [line for line in printed.splitlines() if line.startswith("like, ")]
    assert "by gain: mood " in line


@needs_lightgbm
def test_a_table_of_another_configuration_is_one_line(folders):
    result = of_table(folders, "--set", "features.history_length=3")
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert "features.history_length" in line


@needs_lightgbm
def test_a_table_that_is_being_written_is_one_line(folders):
    with hold_folder(folders / "table", "poso features"):
        result = of_table(folders)
    assert result.exit_code == 75
    [line] = result.stderr.splitlines()
    assert "is being written by poso features" in line


@needs_lightgbm
def test_a_folder_without_a_run_is_one_line(tmp_path):
    result = yardstick("--run", tmp_path)
    assert result.exit_code == 1
    [line] = result.stderr.splitlines()
    assert f"{tmp_path} holds no run" in line


def test_without_lightgbm_one_line_says_what_to_install(folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    result = of_table(folders)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: the yardstick needs the package lightgbm: pip install "
        "'poso[experiments]'"
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "give either --run or --features"),
        (["--run", "a", "--features", "b"], "give either --run or --features"),
        (["--features", "b"], "--features needs the --config of the table"),
        (["--run", "a", "--set", "x=1"], "a run has its own configuration"),
    ],
)
def test_options_that_do_not_name_one_thing(options, said):
    result = yardstick(*options)
    assert result.exit_code == 2
    assert said in result.output
