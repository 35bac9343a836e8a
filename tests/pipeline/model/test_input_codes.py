"""Codes among the inputs of a ranking model."""

import numpy as np
import pytest

from pipeline.model.ranking_model import RankingModel
from tests.helpers.random_model import (
    by_example,
    check_shared_equals_tiled,
    embedding_rows,
    new_model,
    random_batch,
    shuffled_weights,
)


def test_input_codes_add_their_columns_and_nothing_else():
    widths = {}
    for codes in ((), ("avc",), ("avc", "video_age")):
        model, config = new_model(input_codes=codes)
        baseline = RankingModel(config.plain(), embedding_rows(config))
        for made in (model, baseline):
            made(random_batch(config))
        assert baseline.input_codes.weights == []
        widths[codes] = {m.mmoe.task_kernel.shape[1] for m in (model, baseline)}
    [without], [one], [two] = widths.values()
    assert (one - without, two - one) == (3, 3)


def test_the_input_code_is_the_scaled_code(poso):
    model, config = poso
    batch = random_batch(config)
    [code] = model.input_codes(batch)
    of_gates = by_example(model.personalization_code(batch)["mlp"])
    np.testing.assert_allclose(code, 0.2 * of_gates)


@pytest.mark.parametrize("codes", [("video_age",), ("avc", "video_age"), ()])
def test_input_codes_of_users_and_videos(codes):
    model, config = new_model(input_codes=codes)
    batch = random_batch(config)
    model(batch)
    assert len(model.input_codes(batch)) == len(codes)
    shuffled_weights(model)
    check_shared_equals_tiled(model, config)
