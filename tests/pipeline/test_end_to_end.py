"""One whole run on a small simulated feed, then everything that builds on it."""

import base64
import json
import urllib.request
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow_model_analysis as tfma

from pipeline.config import load_config
from pipeline.evaluation.scores import score_split
from pipeline.examples.example_files import serialized_batches
from pipeline.runners.run_paths import RunPaths
from pipeline.runners.run_result import read_result
from serving.client.ranking_client import RankingClient
from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions
from simulator import SimulatorConfig, simulate, write_log
from tests.helpers.small_run import SETS, SMALL
from tests.helpers.small_run import printed_by as poso

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def config_file(pytestconfig):
    return pytestconfig.rootpath / "configs" / "demo.yaml"


@pytest.fixture(scope="module")
def config(config_file):
    return load_config(config_file, SMALL)


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    write_log(simulate(SimulatorConfig(users=300, corrupt_share=0.01)), folder)
    return folder


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return RunPaths(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def printed(config_file, log_dir, paths):
    """What the first run printed; it trains the control, too."""
    places = ("--config", config_file, "--data", log_dir, "--out", paths.out)
    return poso("run", *places, *SETS, "--set", "training.control=true")


@pytest.fixture(scope="module")
def result(printed, paths):
    return read_result(paths)


@pytest.fixture(scope="module")
def server(result, paths, config):
    options = ServerOptions(name=config.serving.model_name, grpc_port=0, rest_port=0)
    with EmbeddedServer(paths.serving, options) as server:
        yield server


def test_the_run_accounts_for_every_row_and_says_where_things_are(
    printed, result, log_dir, paths
):
    data = result.metrics["data"]
    rows = sum(pq.read_metadata(file).num_rows for file in log_dir.glob("*.parquet"))
    kept = sum(
        pq.read_metadata(file).num_rows for file in paths.rejects.glob("*.parquet")
    )
    assert data["rows_in"] == rows == data["examples"] + data["rejects"]
    assert kept == data["rejects"] == sum(data["by_reason"].values()) > 0
    in_splits = result.metrics["train_impressions"] + result.metrics["eval_impressions"]
    assert in_splits + data["outside_splits"] == data["examples"]
    assert f"{rows:,} rows in" in printed
    for place in (result.pushed, result.report, paths.metadata, paths.rejects):
        assert str(place) in printed
        assert Path(place).exists()
    assert "WARNING" not in printed


def test_the_first_model_is_blessed_and_pushed(result):
    assert result.metrics["blessed"]
    assert (result.pushed / "saved_model.pb").exists()


def test_the_table_compares_with_both_baselines_by_task_and_group(result, config):
    rows = {(row["task"], row["slice"]): row for row in result.metrics["gauc"]}
    assert {task for task, _ in rows} == set(config.tasks)
    assert {"all", "new", "regular"} <= {name for _, name in rows}
    overall = rows["long_view", "all"]
    assert set(overall["gauc"]) == {"model", "plain", "control", "popularity"}
    groups = ("new", "returning", "inactive", "regular")
    parts = [
        rows["long_view", g]["impressions"] for g in groups if ("long_view", g) in rows
    ]
    assert sum(parts) == overall["impressions"] == result.metrics["eval_impressions"]


def test_the_control_hears_no_code_and_the_table_has_its_column(result, printed):
    gates = result.metrics["gates"]
    assert gates.keys() == {"model", "control"}
    for heard, own in zip(gates["control"], gates["model"], strict=True):
        assert heard["gate"] == own["gate"]
        assert heard["moved"] > 0
        assert heard["between_codes"] < 1e-6 < own["between_codes"]
    header = "task slice impressions users plain control POSO - plain - control"
    assert f"{header} popularity" in " ".join(printed.split())


def test_evaluator_and_report_agree_on_every_slice(result, paths):
    folder = max((paths.pipeline_root / "Evaluator" / "evaluation").iterdir())
    by_slice = {
        dict(slice_key).get("user_group", "all" if not slice_key else None): metrics
        for slice_key, metrics in tfma.load_eval_result(str(folder)).slicing_metrics
    }
    compared = 0
    for row in result.metrics["gauc"]:
        if row["slice"] not in by_slice or row["gauc"]["model"] is None:
            continue
        evaluated = by_slice[row["slice"]][row["task"]][""]["gauc"]["doubleValue"]
        assert float(evaluated) == pytest.approx(row["gauc"]["model"], abs=1e-6)
        compared += 1
    assert compared >= 4


def test_all_ways_of_asking_give_the_same_scores(result, server, config):
    """SavedModel in process, gRPC and REST, on the raw impressions of the last day."""
    split = str(result.eval_dir)
    models = {"pushed": str(result.pushed)}
    in_process = score_split(models, split, config.task_names)[1]["pushed"]
    examples = next(serialized_batches(split))[:64].numpy()
    url = f"http://127.0.0.1:{server.rest_port}/v1/models/{config.serving.model_name}"
    with RankingClient(
        grpc=f"127.0.0.1:{server.grpc_port}", name=config.serving.model_name
    ) as client:
        over_grpc = client.predict({"examples": examples}, "serving_default")
    body = {
        "instances": [
            {"examples": {"b64": base64.b64encode(example).decode()}}
            for example in examples
        ]
    }
    request = urllib.request.Request(
        f"{url}:predict", json.dumps(body).encode(), method="POST"
    )
    with urllib.request.urlopen(request) as response:
        predictions = json.load(response)["predictions"]
    for task in config.tasks:
        expected = in_process[task][: len(examples)]
        over_rest = [row[task] for row in predictions]
        np.testing.assert_allclose(over_grpc[task], expected, atol=1e-5)
        np.testing.assert_allclose(over_rest, expected, atol=1e-5)
        assert np.ptp(expected) > 0


@pytest.mark.parametrize("group", ["new", "regular"])
def test_the_sample_requests_rank_over_both_protocols(group, server, paths, config):
    request = json.loads((paths.requests / f"{group}.json").read_text())
    videos = request["candidates"]["video_id"]
    name = config.serving.model_name
    with RankingClient(grpc=f"127.0.0.1:{server.grpc_port}", name=name) as client:
        over_grpc = client.rank(request["user"], request["candidates"])
    with RankingClient(
        rest=f"http://127.0.0.1:{server.rest_port}", name=name
    ) as client:
        over_rest = client.rank(request["user"], request["candidates"])
    assert np.shape(over_grpc.scores) == (len(videos), len(config.tasks))
    np.testing.assert_allclose(over_rest.fused, over_grpc.fused, atol=1e-5)
    np.testing.assert_allclose(over_rest.scores, over_grpc.scores, atol=1e-5)
    weights = [task.fusion_weight for task in config.tasks.values()]
    fused = np.prod(np.power(over_grpc.scores, weights), axis=1)
    np.testing.assert_allclose(over_grpc.fused, fused, rtol=1e-4)

    printed = poso(
        "rank",
        paths.requests / f"{group}.json",
        "--rest",
        f"http://127.0.0.1:{server.rest_port}",
    )
    assert all(video in printed for video in videos)


def test_unknown_users_and_videos_get_scores(server, paths, config):
    request = json.loads((paths.requests / "new.json").read_text())
    user = {**request["user"], "user_id": "nobody", "avc": 0}
    user |= {name: [] for name in user if name.startswith("history_")}
    candidates = request["candidates"]
    candidates["video_id"] = [f"unheard-of-{i}" for i in range(10)]
    with RankingClient(
        grpc=f"127.0.0.1:{server.grpc_port}", name=config.serving.model_name
    ) as client:
        result = client.rank(user, candidates)
    assert np.isfinite(result.scores).all()


@pytest.mark.long
def test_a_second_run_reuses_what_has_not_changed(result, config_file, log_dir, paths):
    """Mirrored on two CPU devices now: only what depends on training is run again."""
    strategy = "training.strategy={kind: mirrored, replicas: 2}"
    sets = [part for item in [*SMALL, strategy] for part in ("--set", item)]
    printed = poso(
        "run", "--config", config_file, "--data", log_dir, "--out", paths.out, *sets
    )
    again = read_result(paths)
    assert again.examples == result.examples
    assert again.model != result.model
    assert again.pushed != result.pushed, printed
    first = {(r["task"], r["slice"]): r["gauc"] for r in result.metrics["gauc"]}
    for row in again.metrics["gauc"]:
        if row["slice"] == "all":
            # The same steps on halves of each batch: equal up to rounding.
            before = first[row["task"], "all"]["model"]
            assert row["gauc"]["model"] == pytest.approx(before, abs=0.02)


def test_the_yardstick_judges_the_same_rows_by_the_same_gauc(result, paths):
    pytest.importorskip("lightgbm")
    printed = poso("experiment", "yardstick", "--run", paths.out, "--json")
    found = json.loads(printed[printed.index("{") :])
    for split in ("train_impressions", "eval_impressions"):
        assert found[split] == result.metrics[split]
    reported = {(row["task"], row["slice"]): row for row in result.metrics["gauc"]}
    compared = {(row["task"], row["slice"]): row for row in found["slices"]}
    assert compared.keys() == reported.keys()
    for place, row in compared.items():
        expected = reported[place]
        assert row["impressions"] == expected["impressions"]
        assert row["users_scored"] == expected["users_scored"]
        for model in ("model", "plain"):  # this run has no control
            assert row["gauc"][model] == expected["gauc"][model]
        assert place[0] not in found["trees"] or "lightgbm" in row["gauc"]
    assert "long_view" in found["trees"]
    assert 0 < found["peak_memory_mib"] < 8000
