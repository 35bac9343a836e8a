import json

import pytest
import tfx.v1 as tfx
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.types import artifact_utils, standard_artifacts

from pipeline.config import DriftConfig, ServingStatisticsPart
from pipeline.config.drift import ServingDriftConfig
from pipeline.examples.example_validator import DRIFT_FILE, ExampleValidator
from pipeline.examples.schema import example_schema
from pipeline.examples.serving_log_files import serving_logs_state
from pipeline.examples.serving_statistics_gen import ServingStatisticsGen
from pipeline.examples.statistics import split_statistics
from preprocessing.features.columns import feature_schema
from tests.helpers.request_logs import rows_log, write_log
from tests.helpers.small_transform import analyzed_rows, settings_with, write_examples

SPLITS = {"train": analyzed_rows(), "eval": analyzed_rows()[:12]}
CONFIG = settings_with()


@pytest.fixture(scope="module")
def make_statistics(small_transform, tmp_path_factory):
    """Writes a statistics artifact of rows by split."""

    def make(splits):
        folder = tmp_path_factory.mktemp("artifact") / "StatisticsGen/statistics/7"
        artifact = standard_artifacts.ExampleStatistics()
        artifact.uri, artifact.span = str(folder), 3
        artifact.split_names = artifact_utils.encode_split_names(list(splits))
        for split, rows in splits.items():
            target = folder / f"Split-{split}"
            write_examples(small_transform.examples(rows), folder / split)
            columns = feature_schema(CONFIG.features)
            found = split_statistics(str(folder / split), columns, 100)
            target.mkdir()
            (target / "FeatureStats.pb").write_bytes(found.proto.SerializeToString())
        return artifact

    return make


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    artifact = standard_artifacts.Schema()
    folder = tmp_path_factory.mktemp("schema")
    artifact.uri = str(folder)
    proto = example_schema(CONFIG)
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(proto))
    return artifact


def changed(splits, **values):
    return {split: [{**r, **values} for r in rows] for split, rows in splits.items()}


@pytest.fixture
def asked(tmp_path):
    """Runs ServingStatisticsGen on logged requests of rows."""

    def run(rows):
        logs = tmp_path / "logs"
        logs.mkdir()
        if rows:
            write_log(logs / "requests.tfrecord", [rows_log(CONFIG, rows)])
        config = settings_with(drift={"serving": {"logs": str(logs)}})
        artifact = standard_artifacts.ExampleStatistics()
        artifact.uri = str(tmp_path / "ServingStatisticsGen/statistics/8")
        parameters = {
            "config": config.part(ServingStatisticsPart).model_dump_json(),
            "logs_state": serving_logs_state(str(logs)),
        }
        node = ServingStatisticsGen(**parameters)
        node.executor_spec.executor_class().Do(
            {}, {"statistics": [artifact]}, parameters
        )
        return artifact

    return run


@pytest.fixture
def validated(schema, tmp_path):
    """Runs the component; returns its artifact."""

    def run(
        statistics,
        previous=None,
        component=ExampleValidator,
        serving=None,
        **parameters,
    ):
        artifact = standard_artifacts.ExampleAnomalies()
        artifact.uri = str(tmp_path / "anomalies")
        inputs = {"statistics": [statistics], "schema": [schema]}
        if previous:
            inputs["previous"] = [previous]
        if serving:
            inputs["serving"] = [serving]
        channels = {
            name: tfx.dsl.Channel(type=type(of)) for name, [of] in inputs.items()
        }
        node = component(**parameters, **channels)
        node.executor_spec.executor_class().Do(
            inputs, {"anomalies": [artifact]}, node.exec_properties
        )
        return artifact

    return run


def anomalies(artifact, split):
    folder = artifact_utils.get_split_uri([artifact], split)
    proto = anomalies_pb2.Anomalies()
    with open(f"{folder}/SchemaDiff.pb", "rb") as file:
        proto.ParseFromString(file.read())
    return proto


DEFAULTS = {"config": DriftConfig().model_dump_json()}


def test_the_first_run_has_what_tfx_has(make_statistics, validated, tmp_path):
    splits = {**SPLITS, "eval": changed(SPLITS, user_group="unheard")["eval"]}
    statistics = make_statistics(splits)
    own = validated(statistics, **DEFAULTS)
    assert not (tmp_path / "anomalies" / DRIFT_FILE).exists()
    found = {split: anomalies(own, split) for split in splits}
    of_tfx = validated(statistics, component=tfx.components.ExampleValidator)
    assert found == {split: anomalies(of_tfx, split) for split in splits}
    assert list(found["eval"].anomaly_info) == ["user_group"]
    for key in ("split_names", "span"):
        assert getattr(own, key) == getattr(of_tfx, key)
    verdicts = {"train": 1, "eval": 0}
    assert own.get_json_value_custom_property("blessed") == verdicts
    assert of_tfx.get_json_value_custom_property("blessed") == verdicts


def test_drift_is_an_anomaly_and_all_distances_are_kept(
    make_statistics, validated, tmp_path
):
    before = make_statistics(SPLITS)
    now = {**SPLITS, "eval": changed(SPLITS, country="FR")["eval"]}
    found = validated(make_statistics(now), before, **DEFAULTS)
    assert not anomalies(found, "train").anomaly_info
    assert list(anomalies(found, "eval").anomaly_info) == ["country"]
    drift = json.loads((tmp_path / "anomalies" / DRIFT_FILE).read_text())
    assert drift["previous"] == "StatisticsGen/statistics/7"
    assert drift["serving"] is None
    worst, *others = drift["features"]
    assert worst == {
        "split": "eval",
        "feature": "country",
        "measure": "l_infinity",
        "distance": 1.0,
        "threshold": 0.1,
        "compared_with": "previous",
        "above": True,
    }
    assert {row["split"] for row in others} == {"train", "eval"}
    assert not any(row["above"] for row in others)


def test_a_threshold_is_the_configurations(make_statistics, validated):
    before, now = map(make_statistics, (SPLITS, changed(SPLITS, country="FR")))
    config = DriftConfig(by_feature={"country": 1.0}).model_dump_json()
    found = validated(now, before, config=config)
    assert not anomalies(found, "eval").anomaly_info


def test_a_split_that_was_not_there_is_not_compared(make_statistics, validated):
    before = make_statistics({"train": SPLITS["train"]})
    now = make_statistics(changed(SPLITS, country="FR"))
    found = validated(now, before, **DEFAULTS)
    assert list(anomalies(found, "train").anomaly_info) == ["country"]
    assert not anomalies(found, "eval").anomaly_info


def test_a_column_that_serving_sends_otherwise_is_an_anomaly_of_the_newest_day(
    make_statistics, validated, asked, tmp_path
):
    requests = asked(changed(SPLITS, country="FR")["eval"])
    statistics = make_statistics(SPLITS)
    found = validated(statistics, statistics, serving=requests, **DEFAULTS)
    assert not anomalies(found, "train").anomaly_info
    assert list(anomalies(found, "eval").anomaly_info) == ["country"]
    verdicts = {"train": 1, "eval": 0}
    assert found.get_json_value_custom_property("blessed") == verdicts
    drift = json.loads((tmp_path / "anomalies" / DRIFT_FILE).read_text())
    assert drift["previous"] == "StatisticsGen/statistics/7"
    assert drift["serving"] == {
        "statistics": "ServingStatisticsGen/statistics/8",
        "logs": str(tmp_path / "logs"),
        "files": 1,
        "requests": 1,
        "candidates": 12,
        "notes": [],
    }
    serving = [row for row in drift["features"] if row["compared_with"] == "serving"]
    assert {row["split"] for row in serving} == {"eval"}
    assert [row["feature"] for row in serving if row["above"]] == ["country"] * 2
    missing, moved = sorted(serving[:2], key=lambda row: row["measure"], reverse=True)
    assert (missing["measure"], moved["measure"]) == ("missing", "l_infinity")
    assert missing["distance"] == pytest.approx(4 / 12)
    assert moved["distance"] == 1.0
    assert {row["distance"] for row in serving[2:]} == {0.0}
    assert {row["compared_with"] for row in drift["features"]} == {
        "previous",
        "serving",
    }


def test_serving_has_thresholds_of_its_own(make_statistics, validated, asked):
    requests = asked(changed(SPLITS, country="FR")["eval"])
    statistics = make_statistics(SPLITS)
    config = DriftConfig(max_categorical=0, max_numeric=0, max_missing=0)
    found = validated(
        statistics,
        statistics,
        serving=requests,
        config=config.model_copy(
            update={
                "serving": ServingDriftConfig(
                    by_feature={"country": 1.0}, max_missing=0.5
                )
            }
        ).model_dump_json(),
    )
    assert not anomalies(found, "eval").anomaly_info


def test_without_requests_there_is_a_note_and_no_anomaly(
    make_statistics, validated, asked, tmp_path
):
    found = validated(make_statistics(SPLITS), serving=asked([]), **DEFAULTS)
    assert not anomalies(found, "eval").anomaly_info
    drift = json.loads((tmp_path / "anomalies" / DRIFT_FILE).read_text())
    assert (drift["previous"], drift["features"]) == (None, [])
    [note] = drift["serving"]["notes"]
    assert note.endswith("the examples were not compared with serving")
