import subprocess
import sys
import textwrap

import pytest
import tensorflow as tf

from pipeline.config import StrategyConfig
from pipeline.training.strategies.build import build_strategy, learning_rate_factor


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
        from pipeline.training.strategies.build import build_strategy

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


@pytest.mark.parametrize("kind", ["multi_worker", "parameter_server"])
def test_a_cluster_that_is_not_there_is_asked_for(monkeypatch, kind):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="TF_CONFIG"):
        build_strategy(StrategyConfig(kind=kind))


@pytest.mark.parametrize(
    ("rule", "replicas", "factor"),
    [("none", 4, 1.0), ("linear", 4, 4.0), ("sqrt", 4, 2.0), ("linear", 1, 1.0)],
)
def test_the_learning_rate_grows_with_the_replicas_by_its_rule(rule, replicas, factor):
    config = StrategyConfig(scale_learning_rate=rule)
    assert learning_rate_factor(config, replicas) == factor


def test_tpu_asks_for_the_named_tpu(monkeypatch):
    asked = []

    def resolver(tpu):
        asked.append(tpu)
        raise ValueError("no TPU here")

    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", resolver)
    with pytest.raises(ValueError, match="no TPU here"):
        build_strategy(StrategyConfig(kind="tpu", tpu="my-tpu"))
    assert asked == ["my-tpu"]
