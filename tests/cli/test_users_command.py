"""`poso users` and `poso rank --user`, on a small state and a model that is none."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.main import main
from serving.client.ranking_client import RankingClient, RankResult
from serving.client.transport import ModelMetadata
from serving.protocol.tensor_spec import SignatureSpec

START = 1_650_000_000_000
HOUR = 3_600_000


def invoke(*arguments, **options):
    return CliRunner().invoke(main, [str(a) for a in arguments], **options)


def row(video, at, **more):
    return {
        "user_id": "anna",
        "video_id": video,
        "event_time_ms": START + at,
        "user_country": "PK",
        "age": 30.0,
        **more,
    }


@pytest.fixture(scope="module")
def config(tmp_path_factory, pytestconfig):
    demo = (pytestconfig.rootpath / "configs" / "demo.yaml").read_text()
    text = demo.replace(
        "type: categorical}",
        "type: categorical}\n    - {name: age, entity: user, type: numeric}",
    )
    text = text.replace("labels:", "history_length: 5\n  labels:")
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text(text)
    return path


WATCHED = {"play_time_ms": 9, "video_duration_ms": 10, "is_like": 0, "is_follow": 0}


@pytest.fixture(scope="module")
def state(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("state")
    (folder / "log").mkdir()
    log = [row(f"v{n}", n, author_id=f"a{n}", **WATCHED) for n in range(3)]
    pq.write_table(pa.Table.from_pylist(log), folder / "log" / "log.parquet")
    done = invoke(
        *("features", "--config", config, "--data", folder / "log"),
        *("--out", folder / "out"),
    )
    assert done.exit_code == 0, done.output
    return folder / "out"


@pytest.fixture
def asked(monkeypatch):
    """What a model is asked that scores candidates in the order given, best last."""
    names = ("user_id", "avc", "user_country", "age", "video_id", "author_id")
    requests = []

    def rank(self, user, candidates, timeout_s=None):
        requests.append({**user, **candidates})
        fused = np.arange(len(candidates["video_id"]), dtype=np.float32)
        return RankResult(("long_view",), fused[:, None], fused)

    signatures = {"rank": SignatureSpec(dict.fromkeys(names), {})}
    monkeypatch.setattr(RankingClient, "rank", rank)
    monkeypatch.setattr(
        RankingClient, "metadata", lambda *_: ModelMetadata(1, signatures)
    )
    return requests


def ranking(config, *more):
    return invoke(
        *("rank", "--grpc", "127.0.0.1:1", "--user", "anna", "--json"),
        *("--candidates", "v1,v9", "--config", config),
        *("--time-ms", START + HOUR, *more),
    )


def test_ranks_by_ids_before_and_after_impressions(state, config, asked, tmp_path):
    store = tmp_path / "users.sqlite"
    country = ("--feature", "user_country=007", "--feature", "age=41")
    done = ranking(
        config, "--state", state, "--catalog", state.parent / "log", *country
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["video_id"] == ["v9", "v1"]
    assert asked[-1] == {
        "user_id": "anna",
        "avc": 3,
        "user_country": "007",
        "age": 41,
        "video_id": ["v1", "v9"],
        "author_id": ["a1", None],
    }
    lines = [row("v5", 9, **WATCHED), row("v6", 1, **WATCHED), row(None, 9, **WATCHED)]
    text = "\n".join(map(json.dumps, lines)) + "\n[1]\n\n"
    rejects = tmp_path / "rejects.jsonl"
    done = invoke(
        *("users", "observe", "-", "--store", store, "--state", state),
        *("--config", config, "--rejects", rejects),
        input=text,
    )
    assert "4 impressions = 1 counted + 3 rejects" in done.output
    assert "rejected 1: video_id is missing" in done.output
    reasons = [json.loads(line)["reason"] for line in rejects.read_text().splitlines()]
    assert sorted(reasons)[1:] == ["the line is no JSON object", "video_id is missing"]
    assert "is closed" in sorted(reasons)[0]
    done = ranking(config, "--state", state, "--store", store)
    assert done.exit_code == 0, done.output
    assert asked[-1]["avc"] == 4


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_observes_files_of_a_log_in_a_loaded_store(
    state, config, asked, tmp_path, kind
):
    store, file = tmp_path / "users.sqlite", tmp_path / f"today.{kind}"
    done = invoke("users", "load", state, "--store", store, "--config", config)
    assert f"loaded 1 users; the state ends at {START + 2}" in done.output
    table = pa.Table.from_pylist([row(f"v{n}", n, **WATCHED) for n in range(2, 5)])
    if kind == "parquet":
        pq.write_table(table, file)
    else:
        table.to_pandas().to_csv(file, index=False)
        with open(file, "a") as lines:
            lines.write("one cell\n")
    done = invoke("users", "observe", file, "--store", store, "--config", config)
    rejects = 1 if kind == "parquet" else 2
    total = f"{2 + rejects} impressions = 2 counted + {rejects} rejects"
    assert total in done.output, done.output
    assert ranking(config, "--store", store).exit_code == 0
    assert asked[-1]["avc"] == 5


def test_what_is_missing_or_wrong_is_said_without_a_traceback(state, config, tmp_path):
    def refused(*arguments):
        done = invoke(*arguments)
        assert done.exit_code in (1, 2)
        assert "Traceback" not in done.output
        return done.output

    rank = ("rank", "--grpc", "127.0.0.1:1", "--user", "anna")
    ids = (*rank, "--candidates", "v1")
    known = (*ids, "--config", config, "--state", state)
    assert "give one of REQUEST_FILE and --user" in refused(*rank[:3])
    assert "--user needs --candidates" in refused(*rank)
    assert "--user needs --state, --store or both" in refused(*ids)
    assert "Missing option '--config'" in refused(*ids, "--state", state)
    assert "NAME=VALUE" in refused(*known, "--feature", "age")
    assert "numeric feature" in refused(*known, "--feature", "age=old")
    assert "must be later" in refused(*known, "--time-ms", START)
    nowhere = refused(*known[:-1], tmp_path)
    assert "holds no state" in nowhere
    down = refused(*known, "--store", "redis://127.0.0.1:1")
    assert "redis://127.0.0.1:1" in down
    observe = ("users", "observe", tmp_path / "none.jsonl", "--config", config)
    assert "none.jsonl" in refused(*observe, "--store", tmp_path / "users.sqlite")


def test_what_is_observed_is_not_what_rejects_go_to(state, config, tmp_path):
    today = tmp_path / "today.jsonl"
    today.write_text(json.dumps(row("v5", 9, **WATCHED)) + "\n")
    before = today.read_text()
    observe = ("users", "observe", today, "--state", state, "--config", config)
    for more in (
        ("--store", tmp_path / "users.sqlite", "--rejects", today),
        ("--store", today),
    ):
        done = invoke(*observe, *more)
        assert done.exit_code == 1
        assert f"{today}" in done.output
        assert "which FILE" in done.output or "what FILE" in done.output
        assert today.read_text() == before
    rejects = tmp_path / "rejects.jsonl"
    done = invoke(
        *(*observe, "--store", tmp_path / "users.sqlite", "--rejects", rejects)
    )
    assert "1 impressions = 1 counted + 0 rejects" in done.output
    assert rejects.read_text() == ""
