import pytest
from pydantic import ValidationError

from pipeline.config import InputConfig, LogConfig, TrainerPart, TrialPart
from tests.helpers.small_transform import settings_with


@pytest.mark.parametrize("kind", [LogConfig, InputConfig, TrainerPart, TrialPart])
def test_a_part_reads_back_from_json_equal(kind):
    part = settings_with().part(kind)
    assert kind.model_validate_json(part.model_dump_json()) == part


def test_a_part_has_the_runs_values():
    config = settings_with(serving={"model_name": "feed", "max_candidates": 5})
    trainer, trial = config.part(TrainerPart), config.part(TrialPart)
    assert trainer.features == trial.features == config.features
    assert trainer.tasks == config.tasks
    assert trainer.task_names == trial.task_names == config.task_names
    assert trainer.model == config.model
    assert trainer.training.learning_rate == config.training.learning_rate
    assert trainer.serving.max_candidates == 5
    assert trainer.serving.model_name == trial.serving.model_name == "feed"
    assert trial.serving.validation.requests == config.serving.validation.requests


def test_what_a_component_does_not_read_is_not_there():
    config = settings_with()
    trainer, trial = config.part(TrainerPart), config.part(TrialPart)
    assert set(trainer.model_dump()) == {
        "features",
        "transform",
        "tasks",
        "model",
        "training",
        "serving",
    }
    assert "validation" not in trainer.model_dump()["serving"]
    assert "baseline" not in trainer.model_dump()["training"]
    assert set(trial.model_dump()) == {
        "features",
        "transform",
        "task_names",
        "serving",
    }
    assert "serving_image_tags" not in trial.model_dump()["serving"]["validation"]
    with pytest.raises(ValidationError, match="evaluation"):
        TrainerPart.model_validate({**trainer.model_dump(), "evaluation": {}})
