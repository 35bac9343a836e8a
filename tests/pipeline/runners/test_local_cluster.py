import os

import pytest
from tfx.orchestration.local import local_dag_runner

from pipeline.runners.local import run_locally
from tests.helpers.small_transform import settings_with


class Runner:
    def run(self, pipeline):
        pipeline.append(os.environ.get("TF_CONFIG"))


@pytest.mark.parametrize(
    ("strategy", "seen"),
    [
        ({"kind": "none"}, None),
        ({"kind": "tpu"}, None),
        ({"kind": "multi_worker", "local_workers": 2}, None),
        ({"kind": "multi_worker"}, "a cluster"),
        ({"kind": "parameter_server"}, "a cluster"),
    ],
)
def test_a_cluster_in_the_environment_is_kept_for_those_that_train_in_it(
    monkeypatch, strategy, seen
):
    monkeypatch.setenv("TF_CONFIG", "a cluster")
    monkeypatch.setattr(local_dag_runner, "LocalDagRunner", Runner)
    pipeline = []
    run_locally(pipeline, settings_with(training={"strategy": strategy}))
    assert pipeline == [seen]
