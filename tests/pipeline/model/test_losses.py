import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.model.losses import MeanLoss, mean_loss_share, split_known

BATCHES = st.lists(
    st.lists(st.tuples(st.floats(0, 9, width=32), st.booleans()), min_size=1),
    min_size=1,
    max_size=4,
)


def arrays(batch):
    """Losses, 0 where the label is unknown, and which are known."""
    losses, known = (
        np.array(column, np.float32) for column in zip(*batch, strict=True)
    )
    return losses * known, known


def test_unknown_labels_are_told_from_known_ones():
    labels, known = split_known(tf.constant([1.0, -1.0, 0.0]))
    assert labels.numpy().tolist() == [1, 0, 0]
    assert known.numpy().tolist() == [1, 0, 1]


@settings(deadline=None)
@given(batches=BATCHES)
def test_a_batchs_loss_is_the_mean_over_known_labels(batches):
    for batch in batches:
        losses, known = arrays(batch)
        expected = losses.sum() / known.sum() if known.any() else 0.0
        share = mean_loss_share(tf.constant(losses), tf.constant(known))
        assert float(share) == pytest.approx(expected, rel=1e-5)


@settings(deadline=None)
@given(losses=st.lists(st.floats(0, 9, width=32), min_size=1))
def test_labels_that_are_all_known_need_no_mask(losses):
    losses = tf.constant(losses, tf.float32)
    masked = float(mean_loss_share(losses, tf.ones_like(losses)))
    assert float(mean_loss_share(losses, None)) == pytest.approx(masked, rel=1e-5)


@settings(deadline=None)
@given(batches=BATCHES)
def test_the_mean_over_batches_counts_each_known_label_once(batches):
    metric = MeanLoss((1.0, 0.5), name="mean_loss")
    for batch in batches:
        losses, known = arrays(batch)
        rows = float(len(batch))
        metric.update_state([losses.sum(), rows], [known.sum(), rows])
    losses, known = arrays([row for batch in batches for row in batch])
    of_first = losses.sum() / known.sum() if known.any() else 0.0
    assert float(metric.result()) == pytest.approx(of_first + 0.5, rel=1e-4)
    metric.reset_state()
    assert float(metric.result()) == 0.0


@pytest.mark.e2e
def test_replicas_that_know_different_numbers_of_labels_share_one_mean():
    script = """
        import pipeline
        import tensorflow as tf
        from pipeline.config import StrategyConfig
        from pipeline.model.losses import mean_loss_share
        from pipeline.training.strategies.build import build_strategy

        strategy = build_strategy(StrategyConfig(kind="mirrored", replicas=2))

        @tf.function
        def share(losses, known):
            return mean_loss_share(losses, known)

        for known in ([1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0] * 4):
            losses = tf.constant([8.0, 4.0, 2.0, 2.0]) * tf.constant(known)
            def part(context, of=losses):
                start = 2 * context.replica_id_in_sync_group
                return of[start : start + 2]
            values = [
                strategy.experimental_distribute_values_from_function(
                    lambda context, of=of: part(context, of))
                for of in (losses, tf.constant(known))
            ]
            shares = strategy.experimental_local_results(
                strategy.run(share, args=values))
            print("mean", float(sum(shares)))
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
    )
    means = [line.split()[1] for line in run.stdout.splitlines() if "mean" in line]
    assert means == ["4.0", "2.0", "0.0"]
