"""What MLflow is told, by a stand-in for its client."""

import sys
from collections import namedtuple
from types import SimpleNamespace

import pytest
import tensorflow as tf

from pipeline.config import TrainerPart
from pipeline.training.watching import mlflow_run
from pipeline.training.watching.mlflow_run import MLflowRun
from tests.helpers.small_transform import settings_with

URI = "http://tracking:5000"


Param = namedtuple("Param", "key value")
Metric = namedtuple("Metric", "key value timestamp step")


class ServerDown(Exception):
    """Stands for MLflow's own error."""


class Client:
    """Keeps runs by the rules that the callback builds on."""

    def __init__(self):
        self.uri, self.experiments, self.runs = None, {}, []
        self.lines = []
        self.down = False

    def get_experiment_by_name(self, name):
        if self.down:
            raise ServerDown("no answer\nfrom the server")
        known = self.experiments.get(name)
        return known and SimpleNamespace(experiment_id=known)

    def create_experiment(self, name):
        self.experiments[name] = f"id of {name}"
        return self.experiments[name]

    def search_runs(self, experiment_ids, filter_string, max_results):
        found = [
            run
            for run in self.runs
            if run.status == "RUNNING"
            and run.experiment in experiment_ids
            and "attributes.status = 'RUNNING'" in filter_string
            and f"tags.`poso.training` = '{run.tags['poso.training']}'" in filter_string
        ]
        return found[:max_results]

    def create_run(self, experiment_id, tags, run_name):
        run = SimpleNamespace(
            info=SimpleNamespace(run_id=str(len(self.runs))),
            experiment=experiment_id,
            tags=tags,
            name=run_name,
            status="RUNNING",
            params={},
            metrics=[],
        )
        self.runs.append(run)
        return run

    def log_batch(self, run_id, params=(), metrics=()):
        if self.down:
            raise ServerDown("no answer\nfrom the server")
        assert len(params) <= 100
        run = self.runs[int(run_id)]
        run.params |= {param.key: param.value for param in params}
        run.metrics += [(m.key, m.value, m.step) for m in metrics]

    def set_terminated(self, run_id):
        self.runs[int(run_id)].status = "FINISHED"


@pytest.fixture
def client(monkeypatch):
    kept = Client()

    def connect(tracking_uri):
        kept.uri = tracking_uri
        return kept

    entities = SimpleNamespace(Param=Param, Metric=Metric)
    module = SimpleNamespace(MlflowClient=connect, entities=entities)
    monkeypatch.setitem(sys.modules, "mlflow", module)
    monkeypatch.setitem(sys.modules, "mlflow.entities", entities)
    monkeypatch.setattr(mlflow_run, "report_progress", kept.lines.append)
    return kept


def part():
    mlflow = {"tracking_uri": URI, "experiment": "feeds"}
    return settings_with(training={"learning_rate": 0.25, "mlflow": mlflow}).part(
        TrainerPart
    )


def callback(identity="abc", steps=0):
    """The callback of a training that has taken so many steps before."""
    run = MLflowRun(part(), "model", identity)
    run.set_model(
        SimpleNamespace(optimizer=SimpleNamespace(iterations=tf.Variable(steps)))
    )
    return run


def test_a_training_is_a_run_with_its_settings_and_curves(client):
    run = callback()
    run.on_train_begin()
    run.on_epoch_end(0, {"mean_loss": 0.5, "val_like_gauc": float("nan")})
    run.on_epoch_end(1, {"mean_loss": 0.25, "val_like_gauc": 0.75})
    run.on_train_end()
    assert client.uri == URI
    [kept] = client.runs
    assert (kept.experiment, kept.name) == ("id of feeds", "model")
    assert kept.params["training.learning_rate"] == "0.25"
    assert kept.params["tasks.like.weight"] == "0.5"
    assert kept.params["model.tower_units"] == "[4]"
    assert kept.params["features.extra"].startswith("[{'name': 'country'")
    assert max(map(len, kept.params.values())) <= 500
    assert kept.metrics == [
        ("mean_loss", 0.5, 1),
        ("mean_loss", 0.25, 2),
        ("val_like_gauc", 0.75, 2),
    ]
    assert kept.status == "FINISHED"


def test_a_killed_training_goes_on_in_its_run_and_another_does_not(client):
    for identity in ("abc", "other", "abc"):
        callback(identity).on_train_begin()
    assert [run.tags["poso.training"] for run in client.runs] == ["abc", "other"]
    done = callback()
    done.on_train_begin()
    done.on_train_end()
    callback().on_train_begin()
    assert len(client.runs) == 3


def test_a_server_that_fails_costs_its_curves_and_not_the_training(client):
    run = callback()
    run.on_train_begin()
    client.down = True
    run.on_epoch_end(0, {"mean_loss": 0.5})
    client.down = False
    run.on_epoch_end(1, {"mean_loss": 0.25})
    assert client.runs[0].metrics == [("mean_loss", 0.25, 2)]
    assert client.lines[1:] == ["model: not logged to MLflow: no answer"]


def test_a_server_that_is_down_at_the_start_is_an_error(client):
    client.down = True
    with pytest.raises(ConnectionError, match=f"{URI} cannot be logged to: no answer$"):
        callback().on_train_begin()


def test_a_server_that_is_down_as_a_training_resumes_does_not_end_it(client):
    callback().on_train_begin()
    client.down = True
    run = callback(steps=40)
    run.on_train_begin()
    client.down = False
    run.on_epoch_end(1, {"mean_loss": 0.25})
    run.on_train_end()
    assert client.lines[1:] == ["model: not logged to MLflow: no answer"]
    assert [(r.metrics, r.status) for r in client.runs] == [([], "RUNNING")]


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError, match=r"pip install 'poso\[mlflow\]'"):
        callback()
