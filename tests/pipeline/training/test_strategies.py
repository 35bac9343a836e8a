import subprocess
import sys
import textwrap

import pytest
import tensorflow as tf

from pipeline.config import StrategyConfig
from pipeline.training.strategies import build_strategy


def test_none_is_one_replica():
    strategy = build_strategy(StrategyConfig(kind="none"))
    assert strategy.num_replicas_in_sync == 1


@pytest.mark.e2e
def test_mirrored_splits_the_cpu_in_a_fresh_process():
    # Logical devices can only be made before TensorFlow starts.
    script = """
        import pipeline
        import tensorflow as tf
        from pipeline.config import StrategyConfig
        from pipeline.training.strategies import build_strategy

        strategy = build_strategy(StrategyConfig(kind="mirrored", replicas=2))
        with strategy.scope():
            weight = tf.Variable(1.0)
        total = strategy.run(lambda: tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.SUM, weight + 0.0))
        print("replicas", strategy.num_replicas_in_sync,
              "sum", strategy.experimental_local_results(total)[0].numpy())
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "replicas 2 sum 2.0" in run.stdout


def test_mirrored_says_why_a_started_tensorflow_cannot_be_split():
    tf.constant(0.0)
    with pytest.raises(RuntimeError, match="process of its own"):
        build_strategy(StrategyConfig(kind="mirrored", replicas=4))


def test_multi_worker_without_a_cluster_is_one_worker(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    strategy = build_strategy(StrategyConfig(kind="multi_worker_mirrored"))
    assert isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def test_parameter_server_without_a_cluster_is_refused(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="TF_CONFIG"):
        build_strategy(StrategyConfig(kind="parameter_server"))


def test_tpu_asks_for_the_named_tpu(monkeypatch):
    asked = []

    def resolver(tpu):
        asked.append(tpu)
        raise ValueError("no TPU here")

    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", resolver)
    with pytest.raises(ValueError, match="no TPU here"):
        build_strategy(StrategyConfig(kind="tpu", tpu="my-tpu"))
    assert asked == ["my-tpu"]
