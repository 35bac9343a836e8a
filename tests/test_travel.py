"""What one stack writes the other reads: models, states, online stores, checkpoints.

The folder POSO_TRAVEL is shared by environments of both stacks: each writes its own
part once and reads those that are there (`make test-travel`, `scripts/test-fresh`).
"""

import json
import os
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
import tf_keras

from pipeline.config import load_config
from poso_keras import POSOMLP
from serving.client.ranking_client import RankingClient
from serving.online.sqlite_storage import SqliteStorage
from serving.online.user_store import UserStore
from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions
from simulator import SimulatorConfig, simulate, write_log
from tests.helpers.small_run import SETS, SMALL, printed_by

TRAVEL = os.environ.get("POSO_TRAVEL")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not TRAVEL, reason="POSO_TRAVEL is not set: make test-travel"),
]

CONFIG_FILE = Path(__file__).parents[1] / "configs" / "demo.yaml"
OWN = f"tensorflow-{tf.__version__}"
DONE = "written"
FIRST_DAYS = 6
EPOCHS = 3


def stacks():
    """Names of the parts that are there, this stack's first."""
    there = {path.parent.name for path in Path(TRAVEL or "").glob(f"*/{DONE}")}
    return [OWN, *sorted(there - {OWN})] if TRAVEL else [OWN]


@pytest.fixture(scope="module")
def config():
    return load_config(CONFIG_FILE, SMALL)


@pytest.fixture(scope="module")
def own(config):
    """This stack's part, written anew."""
    folder = Path(TRAVEL) / OWN
    shutil.rmtree(folder, ignore_errors=True)
    days = [folder / "first", folder / "then"]
    write_log(simulate(SimulatorConfig(users=300)), folder / "log")
    files = sorted((folder / "log").glob("*.parquet"))
    for number, file in enumerate(files):
        day = days[number >= FIRST_DAYS]
        day.mkdir(exist_ok=True)
        shutil.copy(file, day)
    arguments = ("--config", CONFIG_FILE)
    printed_by(
        "run", *arguments, "--data", folder / "log", "--out", folder / "run", *SETS
    )
    state = folder / "state-of-first"
    printed_by("features", *arguments, "--data", days[0], "--out", state)
    table = folder / "table-of-then"
    printed_by(
        *("features", *arguments, "--data", days[1], "--out", table),
        *("--state", state),
    )
    with closing(SqliteStorage(str(folder / "users.sqlite"))) as storage:
        store = UserStore(None, config.features, storage)
        store.load(str(state))
        write_json(folder / "users.json", known_users(store, days[1]))
    write_json(folder / "scores.json", scores_of(folder, config))
    with pytest.raises(KeyboardInterrupt):
        train(folder / "checkpoint", stop_after=1)
    (folder / DONE).touch()
    return folder


@pytest.fixture(scope="module", params=stacks())
def part(request, own):
    return own.parent / request.param


def write_json(path, value):
    path.write_text(json.dumps(value), encoding="utf-8")


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def scores_of(folder, config):
    """Scores of the run's sample requests by the embedded server, by user group."""
    options = ServerOptions(name=config.serving.model_name, grpc_port=0, rest_port=0)
    scores = {}
    with (
        EmbeddedServer(folder / "run" / "serving", options) as server,
        RankingClient(
            grpc=f"127.0.0.1:{server.grpc_port}", name=options.name
        ) as client,
    ):
        for file in sorted((folder / "run" / "requests").glob("*.json")):
            request = read_json(file)
            result = client.rank(request["user"], request["candidates"])
            scores[file.stem] = np.asarray(result.scores).tolist()
    return scores


def known_users(store, next_days):
    """What a store says of users at the beginning of their next day, by id."""
    log = pq.read_table(sorted(next_days.glob("*.parquet"))[0]).to_pylist()
    first = {row["user_id"]: row["event_time_ms"] for row in reversed(log)}
    return {
        user: store.features(user, time_ms) for user, time_ms in sorted(first.items())
    }


class StopAfter(tf_keras.callbacks.Callback):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs
        self.began = []

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= self.epochs:
            raise KeyboardInterrupt
        self.began.append(epoch)


def train(folder, stop_after):
    """Trains a small model of POSO layers, or goes on; returns the epochs it ran."""
    tf_keras.utils.set_random_seed(1)
    inputs, code = tf_keras.Input([8]), tf_keras.Input([3])
    hidden = POSOMLP([4, 2])(inputs, code)
    model = tf_keras.Model([inputs, code], tf_keras.layers.Dense(1)(hidden))
    model.compile("adam", "mse")
    random = np.random.default_rng(1)
    data = [random.normal(size=[64, n]).astype("float32") for n in (8, 3, 1)]
    stop = StopAfter(stop_after)
    history = model.fit(
        data[:2],
        data[2],
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        callbacks=[tf_keras.callbacks.BackupAndRestore(str(folder)), stop],
    )
    return stop.began, history.history["loss"]


def test_a_model_gives_the_same_scores(part, config):
    expected, received = read_json(part / "scores.json"), scores_of(part, config)
    assert received.keys() == expected.keys()
    assert len(expected) >= 2
    for group, scores in expected.items():
        np.testing.assert_allclose(received[group], scores, rtol=0, atol=1e-5)
    assert np.ptp(np.concatenate(list(expected.values()))) > 1e-3


def test_a_state_is_gone_on_from(part, tmp_path):
    printed_by(
        *("features", "--config", CONFIG_FILE, "--data", part / "then"),
        *("--out", tmp_path, "--state", part / "state-of-first"),
    )
    expected = pq.read_table(part / "table-of-then" / "features")
    received = pq.read_table(tmp_path / "features")
    assert received.num_rows == expected.num_rows > 100
    by = [("event_time_ms", "ascending"), ("user_id", "ascending")]
    by.append(("video_id", "ascending"))
    assert received.sort_by(by).to_pylist() == expected.sort_by(by).to_pylist()


def test_an_online_store_is_read(part, config, tmp_path):
    copy = shutil.copy(part / "users.sqlite", tmp_path)
    with closing(SqliteStorage(str(copy))) as storage:
        store = UserStore(None, config.features, storage)
        received = known_users(store, part / "then")
    expected = read_json(part / "users.json")
    assert len(expected) > 20
    assert json.loads(json.dumps(received)) == expected


def test_a_training_goes_on_from_a_checkpoint(part, tmp_path):
    copy = shutil.copytree(part / "checkpoint", tmp_path / "checkpoint")
    whole = train(tmp_path / "none", stop_after=EPOCHS)
    began, losses = train(copy, stop_after=EPOCHS)
    assert whole[0] == [0, 1, 2]
    assert began == [1, 2]
    np.testing.assert_allclose(losses, whole[1][1:], rtol=1e-4)
