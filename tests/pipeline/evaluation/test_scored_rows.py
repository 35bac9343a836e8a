"""TFMA on scored rows, against TFMA on the same rows one by one."""

import dataclasses

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.utils import config_util

from pipeline.evaluation.eval_config import eval_config
from pipeline.evaluation.scored_rows import analyze_scored_rows, cells
from poso_keras import gauc
from preprocessing.contract.column_names import UNKNOWN_LABEL, USER_GROUPS
from tests.helpers.evaluation_rows import evaluation_rows
from tests.helpers.small_transform import settings_with

TASKS = ("long_view", "like")
ROWS = 600


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    return evaluation_rows(
        {
            "long_view": rng.integers(0, 2, ROWS),
            "like": rng.choice([0, 1, UNKNOWN_LABEL], ROWS),
        },
        users=[f"u{number}" for number in rng.integers(0, 40, ROWS)],
        groups=rng.choice(USER_GROUPS, ROWS).tolist(),
        new=rng.integers(0, 2, ROWS).tolist(),
    )


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(4)
    return {
        model: {t: rng.random(ROWS).round(2).astype(np.float32) for t in TASKS}
        for model in (tfma.CANDIDATE_KEY, tfma.BASELINE_KEY)
    }


def analyzed(rows, scores, folder, **evaluation):
    two = len(scores) > 1
    config = config_util.update_eval_config_with_defaults(
        eval_config(settings_with(evaluation=evaluation)),
        has_baseline=two,
        rubber_stamp=True,
    )
    models = {spec.name: f"/{spec.name}" for spec in config.model_specs}
    with beam.Pipeline() as pipeline:
        analyze_scored_rows(pipeline, rows, scores, models, config, str(folder))
    return str(folder)


def slices(rows):
    yield (), np.ones(ROWS, bool)
    for code, name in enumerate(USER_GROUPS):
        yield (("user_group", name),), rows.user_groups == code
    for value in (0, 1):
        yield (("is_new_video", value),), rows.is_new_video == bool(value)


@pytest.mark.e2e
def test_every_slice_has_the_gauc_of_its_known_rows(rows, scores, tmp_path):
    folder = analyzed(rows, scores, tmp_path)
    for model, by_task in scores.items():
        found = dict(tfma.load_eval_result(folder, model_name=model).slicing_metrics)
        assert len(found) == 1 + len(USER_GROUPS) + 2
        for key, mask in slices(rows):
            for task in TASKS:
                kept = mask & (rows.labels[task] != UNKNOWN_LABEL)
                parts = rows.labels[task], by_task[task], rows.users
                expected = gauc(*(part[kept] for part in parts)).value
                values = found[key][task][""]
                assert float(values["gauc"]["doubleValue"]) == expected


@pytest.mark.e2e
def test_the_verdict_follows_the_drop_that_is_allowed(rows, scores, tmp_path):
    candidate, baseline = (
        scores[name] for name in (tfma.CANDIDATE_KEY, tfma.BASELINE_KEY)
    )
    parts = rows.labels["long_view"], rows.users
    values = [
        gauc(parts[0][mask], by_task["long_view"][mask], parts[1][mask]).value
        for _, mask in slices(rows)
        for by_task in (candidate, baseline)
    ]
    worst = max(old - new for new, old in zip(values[::2], values[1::2], strict=True))
    assert worst > 0.001
    for allowed, expected in ((worst + 1e-6, True), (worst - 1e-6, False)):
        folder = analyzed(
            rows,
            scores,
            tmp_path / str(expected),
            max_gauc_drop=allowed,
            min_scored_users=1,
            blessing_tasks=["long_view"],
        )
        assert tfma.load_validation_result(folder).validation_ok == expected


@pytest.mark.e2e
def test_a_first_model_is_compared_with_nothing(rows, scores, tmp_path):
    alone = {"": scores[tfma.CANDIDATE_KEY]}
    folder = analyzed(rows, alone, tmp_path)
    assert tfma.load_validation_result(folder).validation_ok
    found = dict(tfma.load_eval_result(folder).slicing_metrics)
    expected = gauc(rows.labels["long_view"], alone[""]["long_view"], rows.users).value
    assert float(found[()]["long_view"][""]["gauc"]["doubleValue"]) == expected


def test_cells_hold_every_row_once(rows, scores):
    made = list(cells(rows, scores))
    assert len(made) == 2 * len(USER_GROUPS)
    users = np.concatenate([cell[constants.FEATURES_KEY]["user_id"] for cell in made])
    assert users.dtype == np.uint64
    assert sorted(users) == sorted(rows.users)
    likes = np.concatenate([cell[constants.LABELS_KEY]["like"] for cell in made])
    assert np.isnan(likes).sum() == (rows.labels["like"] == UNKNOWN_LABEL).sum()


def test_rows_of_a_group_without_a_name_are_in_no_slice_of_groups(scores):
    rows = evaluation_rows({"long_view": [0, 1], "like": [0, 1]})
    codes = np.array([-1, USER_GROUPS.index("new")], np.int8)
    rows = dataclasses.replace(rows, user_groups=codes)
    two = {m: {t: v[:2] for t, v in s.items()} for m, s in scores.items()}
    groups = [list(c[constants.FEATURES_KEY]["user_group"]) for c in cells(rows, two)]
    assert groups == [[], [b"new"]]
