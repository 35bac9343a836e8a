"""The component's executor on small logs, by both engines, without a pipeline."""

import json
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from pipeline.config import LogConfig
from pipeline.examples.day_split import EmptySplitError
from pipeline.examples.example_gen import ImpressionExampleGen
from pipeline.examples.executor import Executor
from pipeline.examples.on_beam import COUNTS_FILE
from pipeline.examples.places import SUMMARY_FILE
from preprocessing.arrays.days import MS_PER_DAY
from preprocessing.checks.counts import EmptyLogError, RejectLimitExceeded
from preprocessing.engine.earlier_output import OutputFolderError
from preprocessing.state.files import open_state

pytestmark = pytest.mark.e2e

CONFIG = LogConfig.model_validate(
    {
        "source": {"format": "parquet"},
        "features": {
            "labels": {"long_view": {"rule": "long_view", "percent": 50}},
            "shards": 2,
            "max_reject_rate": 0.3,
        },
        "split": {"train_days": 2, "eval_days": 1},
    }
)


def write_log(folder, days, durations=None):
    rows = len(days)
    folder.mkdir()
    pq.write_table(
        pa.table(
            {
                "user_id": pa.array([f"u{i % 3}" for i in range(rows)], pa.string()),
                "video_id": pa.array([f"v{i}" for i in range(rows)], pa.string()),
                "event_time_ms": pa.array(
                    [day * MS_PER_DAY + i for i, day in enumerate(days)], pa.int64()
                ),
                "play_time_ms": pa.array([700] * rows, pa.int64()),
                "video_duration_ms": pa.array(durations or [1000] * rows, pa.int64()),
            }
        ),
        folder / "log.parquet",
    )


@pytest.fixture(params=["threads", "beam"])
def run(tmp_path, request):
    def do(days, durations=None, config=CONFIG):
        write_log(tmp_path / "log", days, durations)
        engine = {"examples": {"engine": request.param}}
        config = LogConfig(**{**config.model_dump(), **engine})
        component = ImpressionExampleGen(
            str(tmp_path / "log"),
            config.model_dump_json(),
            str(tmp_path / "rejects"),
        )
        artifact = standard_artifacts.Examples()
        artifact.uri = str(tmp_path / "examples")
        Executor().Do({}, {"examples": [artifact]}, dict(component.exec_properties))
        return tmp_path

    return do


def videos(folder, split):
    files = [str(f) for f in (folder / "examples" / f"Split-{split}").glob("*.gz")]
    found = []
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP"):
        example = tf.train.Example.FromString(record.numpy())
        value = example.features.feature["video_id"].bytes_list.value[0]
        found.append(value.decode())
    return sorted(found)


def rejects(folder):
    files = (folder / "rejects").glob("*.parquet")
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def test_examples_are_split_by_day_and_every_row_is_accounted_for(run):
    folder = run([5, 5, 6, 7, 8, 5], durations=[1000, -1, 1000, 1000, 1000, 1000])
    assert videos(folder, "train") == ["v2", "v3"]
    assert videos(folder, "eval") == ["v4"]
    summary = json.loads((folder / "examples" / SUMMARY_FILE).read_text())
    assert summary["rows_in"] == 6
    assert summary["examples"] == 5
    assert summary["by_reason"] == {"video_duration_ms is negative": 1}
    assert summary["outside_splits"] == 2
    assert sum(summary["days"].values()) == 5
    kept = [json.loads(row["row"])["video_id"] for row in rejects(folder)]
    assert kept == ["v1"]


def test_the_state_after_the_log_lies_beside_the_examples(run):
    folder = run([5, 5, 6, 7, 8, 5])
    state = open_state(str(folder / "examples"), CONFIG.features)
    users = [row for file in state.user_files for row in read_rows(file.path)]
    assert {row["user_id"]: row["view_count"] for row in users} == {
        "u0": 2,
        "u1": 2,
        "u2": 2,
    }
    assert state.info.watermark_ms == 8 * MS_PER_DAY + 4


def read_rows(path):
    return pq.read_table(path).to_pylist()


def test_examples_are_split_by_user(run):
    by_user = {"split": {"by": "user", "train_user_share": 0.5}}
    folder = run([5] * 30, config=LogConfig(**{**CONFIG.model_dump(), **by_user}))
    train, test = videos(folder, "train"), videos(folder, "eval")
    assert sorted([*train, *test]) == sorted(f"v{i}" for i in range(30))
    users = [{int(video[1:]) % 3 for video in split} for split in (train, test)]
    assert not users[0] & users[1]
    summary = json.loads((folder / "examples" / SUMMARY_FILE).read_text())
    assert summary["days"] == {
        "users to train on": len(train),
        "users to evaluate on": len(test),
    }


def test_a_train_day_without_rows_is_a_warning(run):
    folder = run([5, 7])
    summary = json.loads((folder / "examples" / SUMMARY_FILE).read_text())
    assert summary["warnings"] == ["train: no impressions on 1970-01-07"]


def test_days_to_train_on_without_rows_stop_the_run(run):
    with pytest.raises(EmptySplitError, match="train split has no impressions"):
        run([5, 5])


def test_an_empty_log_stops_the_run(run):
    with pytest.raises(EmptyLogError, match="no rows"):
        run([])


def test_too_many_rejects_stop_the_run_and_stay(run, tmp_path):
    with pytest.raises(RejectLimitExceeded, match="video_duration_ms is negative: 2"):
        run([5, 6, 7], durations=[-1, -1, 1000])
    assert len(rejects(tmp_path)) == 2


def test_only_rejects_of_earlier_runs_are_replaced(run, tmp_path):
    rejects_dir = tmp_path / "rejects"
    rejects_dir.mkdir()
    for name in ("rejects-00004-of-00005.parquet", "summary.json", COUNTS_FILE):
        (rejects_dir / name).write_text("of a run that was killed")
    (rejects_dir / "notes.txt").write_text("by hand")
    with pytest.raises(OutputFolderError, match=r"rejects/notes\.txt was not made"):
        run([1, 2, 3])
    assert len(list(rejects_dir.iterdir())) == 4
    (rejects_dir / "notes.txt").unlink()
    shutil.rmtree(tmp_path / "log")
    run([1, 2, 3])
    assert {path.name for path in rejects_dir.iterdir()} == {
        "rejects-00000-of-00001.parquet",
        "summary.json",
    }
