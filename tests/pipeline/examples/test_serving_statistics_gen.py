"""`ServingStatisticsGen` on folders with and without logged requests."""

import json
from pathlib import Path

import pytest
import tensorflow_data_validation as tfdv
from tfx.types import artifact_utils, standard_artifacts

from pipeline.config import ServingStatisticsPart
from pipeline.examples.serving_statistics_gen import (
    REQUESTS_FILE,
    ServingStatisticsGen,
    served_statistics,
)
from tests.helpers.request_logs import rows_log, write_log
from tests.helpers.small_transform import analyzed_rows, feature_row, settings_with


@pytest.fixture
def made(tmp_path):
    """Runs the component on a folder; returns the artifact and its summary."""

    def run(logs, **sections):
        drift = {"drift": {"serving": {"logs": str(logs)}}}
        config = settings_with(**drift, **sections).part(ServingStatisticsPart)
        artifact = standard_artifacts.ExampleStatistics()
        artifact.uri = str(tmp_path / "artifact")
        parameters = {"config": config.model_dump_json(), "logs_state": ""}
        node = ServingStatisticsGen(**parameters)
        executor = node.executor_spec.executor_class()
        executor.Do({}, {"statistics": [artifact]}, parameters)
        return artifact, json.loads(Path(artifact.uri, REQUESTS_FILE).read_text())

    return run


def test_the_newest_candidates_are_described_where_tfx_has_statistics(made, tmp_path):
    log = rows_log(settings_with(), analyzed_rows())
    for day in range(3):
        write_log(tmp_path / f"requests-{day}.tfrecord", [log])
    artifact, summary = made(tmp_path, statistics={"max_examples": 30})
    assert artifact_utils.decode_split_names(artifact.split_names) == ["serving"]
    [dataset] = tfdv.load_stats_binary(served_statistics(artifact)).datasets
    assert dataset.num_examples == 30
    assert {"avc", "country"} <= {f.path.step[0] for f in dataset.features}
    assert summary == {
        "logs": str(tmp_path),
        "files": 3,
        "requests": 2,
        "candidates": 30,
        "notes": [],
    }


@pytest.mark.parametrize("there", [True, False])
def test_without_requests_there_are_no_statistics_but_a_note(made, tmp_path, there):
    logs = tmp_path / "logs"
    if there:
        logs.mkdir()
    artifact, summary = made(logs)
    assert served_statistics(artifact) == ""
    assert artifact_utils.decode_split_names(artifact.split_names) == []
    why = f"0 files in {logs} hold no candidates" if there else "there is no folder"
    [note] = summary["notes"]
    assert note.startswith(f"drift.serving.logs: {why}")
    assert note.endswith("the examples were not compared with serving")


def test_what_was_left_out_is_noted(made, tmp_path):
    other = rows_log(settings_with(), [feature_row()], model="other")
    log = rows_log(settings_with(), [feature_row()])
    write_log(tmp_path / "a.tfrecord", [other, b"no message", log])
    write_log(tmp_path / "b.tfrecord", [log])
    damaged = (tmp_path / "b.tfrecord").read_bytes()[:-1]
    (tmp_path / "b.tfrecord").write_bytes(damaged)
    artifact, summary = made(tmp_path)
    assert summary["candidates"] == 1
    assert served_statistics(artifact)
    broken, others, unreadable = summary["notes"]
    assert "b.tfrecord is no whole TFRecord file" in broken
    assert "1 requests are of other models than serving.model_name, ranker" in others
    assert "1 records are no Predict requests" in unreadable
