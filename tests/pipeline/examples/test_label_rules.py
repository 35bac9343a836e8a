import pytest

from pipeline.config import RunConfig, TrainerPart
from pipeline.examples.label_rules import read_label_rules, write_label_rules
from tests.helpers.small_transform import SETTINGS


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ({"rule": "finish_view"}, "finish_view"),
        ({"rule": "finish_view", "percent": 20}, "finish_view"),  # which reads none
        ({"rule": "long_view"}, "long_view of 60 %"),
        ({"rule": "long_view", "percent": 33.3}, "long_view of 33.3 %"),
        ({"column": "is_like"}, "column is_like"),
        ({"column": "rating", "at_least": 4}, "column rating of at least 4"),
    ],
)
def test_the_rules_of_a_models_tasks_are_kept_beside_it(tmp_path, label, words):
    labels = {"good": label, "no_task": {"rule": "finish_view"}}
    config = RunConfig.model_validate(
        {**SETTINGS, "features": {"labels": labels}, "tasks": {"good": {}}}
    )
    write_label_rules(str(tmp_path / "model"), config.part(TrainerPart))
    assert read_label_rules(str(tmp_path / "model")) == {"good": words}


def test_a_model_of_an_earlier_release_has_none(tmp_path):
    assert read_label_rules(str(tmp_path)) == {}
