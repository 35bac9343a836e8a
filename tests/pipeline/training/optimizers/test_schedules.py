"""Learning rates against their formulas, a step at a time."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.config import ScheduleConfig
from pipeline.training.optimizers.schedules import WarmUp, learning_rate

PEAK, STEPS, WARMUP, FINAL = 0.01, 100, 20, 0.1


def falling(decay, share):
    """The part of the peak at a share of the decay, from 0 to 1."""
    if decay == "cosine":
        return FINAL + (1 - FINAL) * (1 + math.cos(math.pi * share)) / 2
    if decay == "linear":
        return 1 + (FINAL - 1) * share
    return FINAL**share if decay == "exponential" else 1.0


def rates(schedule, steps=STEPS + 1):
    return [float(schedule(tf.constant(step, tf.int64))) for step in range(steps)]


@pytest.mark.parametrize("decay", ["cosine", "linear", "exponential"])
def test_it_falls_from_the_first_step_to_the_last(decay):
    settings = ScheduleConfig(decay=decay, final_share=FINAL)
    expected = [PEAK * falling(decay, step / STEPS) for step in range(STEPS + 1)]
    result = rates(learning_rate(settings, PEAK, STEPS))
    np.testing.assert_allclose(result, expected, rtol=1e-4)


@pytest.mark.parametrize("decay", ["constant", "cosine", "linear", "exponential"])
@pytest.mark.parametrize("warmup", [{"warmup_steps": WARMUP}, {"warmup_share": 0.2}])
def test_it_rises_in_equal_steps_before_it_falls(decay, warmup):
    settings = ScheduleConfig(decay=decay, final_share=FINAL, **warmup)
    rise = [PEAK * (step + 1) / WARMUP for step in range(WARMUP)]
    fall = [
        PEAK * falling(decay, step / (STEPS - WARMUP))
        for step in range(STEPS - WARMUP + 1)
    ]
    result = rates(learning_rate(settings, PEAK, STEPS))
    np.testing.assert_allclose(result, [*rise, *fall], rtol=1e-4)


def test_a_rate_that_never_changes_is_a_number():
    assert learning_rate(ScheduleConfig(), PEAK) == PEAK


def test_a_rise_by_steps_alone_needs_no_count_of_all_steps():
    schedule = learning_rate(ScheduleConfig(warmup_steps=4), PEAK)
    expected = [PEAK / 4, PEAK / 2, PEAK * 3 / 4, PEAK, PEAK]
    np.testing.assert_allclose(rates(schedule, 5), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="`steps` must be given"):
        learning_rate(ScheduleConfig(decay="linear"), PEAK)


def test_a_rise_that_leaves_no_step_to_fall_in_is_refused():
    settings = ScheduleConfig(decay="cosine", warmup_steps=100)
    with pytest.raises(ValueError, match=r"fewer than the steps .* 100. Received: 100"):
        learning_rate(settings, PEAK, STEPS)


def test_an_optimizer_follows_it():
    schedule = learning_rate(
        ScheduleConfig(decay="linear", warmup_steps=2, final_share=0.5), 1.0, 4
    )
    optimizer = tf_keras.optimizers.SGD(schedule)
    weight = tf.Variable(0.0)
    for total in (0.5, 1.5, 2.5, 3.25):  # rates 1/2, 1, 1, 3/4
        optimizer.apply_gradients([(tf.constant(-1.0), weight)])
        assert float(weight) == pytest.approx(total)


@pytest.mark.parametrize("decay", ["constant", "cosine"])
def test_it_survives_being_written_down(decay):
    settings = ScheduleConfig(decay=decay, warmup_steps=WARMUP)
    schedule = learning_rate(settings, PEAK, STEPS)
    assert isinstance(schedule, WarmUp)
    kinds = tf_keras.optimizers.schedules
    copy = kinds.deserialize(kinds.serialize(schedule))
    assert rates(copy) == rates(schedule)
