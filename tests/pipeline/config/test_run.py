import pytest
from pydantic import ValidationError

from pipeline.config import PersonalizationConfig
from tests.helpers.small_transform import settings_with

GATES = {
    "personalization_code": ["user_id"],
    "attention": {"num_heads": 3, "num_modules": 2, "query_mode": "full"},
}


def test_tasks_keep_the_configurations_order():
    config = settings_with(tasks={"like": {}, "long_view": {}})
    assert config.task_names == ("long_view", "like")
    assert config.popularity_task == "long_view"
    assert config.blessing_tasks == config.task_names


def test_the_named_tasks_decide():
    chosen = {"blessing_tasks": ["like"], "popularity_task": "like"}
    config = settings_with(evaluation=chosen)
    assert config.popularity_task == "like"
    assert config.blessing_tasks == ("like",)


def test_plain_removes_the_gates_and_what_they_alone_read():
    config = settings_with(model=GATES)
    plain = config.plain()
    assert plain.model.poso == PersonalizationConfig(
        mlp=False, attention=False, mmoe=False
    )
    assert (
        plain.model
        == settings_with(model={"attention": {"num_heads": 3}}).plain().model
    )
    assert plain.model.attention.num_heads == 3
    other = {"exclude": {"model"}}
    assert plain.model_dump(**other) == config.model_dump(**other)


def test_fusion_weights_that_are_all_zero_are_refused():
    weights = {"long_view": {"fusion_weight": 0}, "like": {"fusion_weight": 0}}
    with pytest.raises(ValidationError, match="at least one needs a fusion_weight"):
        settings_with(tasks=weights)
