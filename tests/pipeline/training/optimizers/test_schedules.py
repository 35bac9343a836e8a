"""Learning rates against their formulas, a step at a time."""

import math

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from pipeline.config import ScheduleConfig
from pipeline.training.optimizers.schedules import learning_rate

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
    final = {} if decay == "constant" else {"final_share": FINAL}
    settings = ScheduleConfig(decay=decay, **final, **warmup)
    rise = [PEAK * (step + 1) / WARMUP for step in range(WARMUP)]
    fall = [
        PEAK * falling(decay, step / (STEPS - WARMUP))
        for step in range(STEPS - WARMUP + 1)
    ]
    result = rates(learning_rate(settings, PEAK, STEPS))
    np.testing.assert_allclose(result, [*rise, *fall], rtol=1e-4)


def test_a_rate_that_never_changes_is_a_number():
    assert learning_rate(ScheduleConfig(), PEAK) == PEAK


@pytest.mark.parametrize(
    "settings",
    [{"decay": "linear"}, {"warmup_steps": 4}, {"warmup_share": 0.5}],
)
def test_a_schedule_must_be_told_the_number_of_all_steps(settings):
    with pytest.raises(ValueError, match="`steps` must be given"):
        learning_rate(ScheduleConfig(**settings), PEAK)


def test_a_linear_decay_to_0_ends_one_step_before_0():
    schedule = learning_rate(ScheduleConfig(decay="linear"), PEAK, 10)
    assert rates(schedule, 11)[-2:] == pytest.approx([0.1 * PEAK, 0])


@pytest.mark.parametrize(
    ("settings", "steps", "message"),
    [
        (
            {"decay": "cosine", "warmup_steps": 100},
            100,
            r"warmup_steps makes a warm-up of 100 steps in a training of 100, in "
            r"which no step is left .* at most 99 .* Received: 100",
        ),
        (
            {"decay": "linear", "warmup_share": 0.9},
            2,
            r"warmup_share makes .* of 2 steps .* at most 1 .* Received: 0\.9",
        ),
        (
            {"warmup_steps": 101},
            100,
            r"warmup_steps makes .* of 101 steps in a training of 100, in which the "
            r"rate never reaches its peak: at most 100 .* Received: 101",
        ),
        ({}, 0, "nothing to train on: .* fewer examples than a batch"),
        ({"warmup_steps": 5}, 0, "nothing to train on: .* fewer examples than a batch"),
    ],
)
def test_a_schedule_for_which_there_are_too_few_steps_is_refused(
    settings, steps, message
):
    with pytest.raises(ValueError, match=message):
        learning_rate(ScheduleConfig(**settings), PEAK, steps)


def test_a_warm_up_may_end_with_the_training():
    schedule = learning_rate(ScheduleConfig(warmup_steps=4), PEAK, 4)
    expected = [PEAK / 4, PEAK / 2, PEAK * 3 / 4, PEAK]
    np.testing.assert_allclose(rates(schedule, 4), expected, rtol=1e-6)


def test_an_optimizer_follows_it():
    schedule = learning_rate(
        ScheduleConfig(decay="linear", warmup_steps=2, final_share=0.5), 1.0, 4
    )
    optimizer = tf_keras.optimizers.SGD(schedule)
    weight = tf.Variable(0.0)
    for total in (0.5, 1.5, 2.5, 3.25):  # rates 1/2, 1, 1, 3/4
        optimizer.apply_gradients([(tf.constant(-1.0), weight)])
        assert float(weight) == pytest.approx(total)
