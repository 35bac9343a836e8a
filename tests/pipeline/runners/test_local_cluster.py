import os
from types import SimpleNamespace

import pytest

from pipeline.runners import local
from tests.helpers.small_transform import settings_with


class Runner:
    def __init__(self, again):
        assert not again

    def run(self, pipeline):
        pipeline.seen = os.environ.get("TF_CONFIG")


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
    monkeypatch.setattr(local, "PartlyCachedRunner", Runner)
    pipeline = SimpleNamespace(components=[])
    local.run_locally(pipeline, settings_with(training={"strategy": strategy}))
    assert pipeline.seen == seen
