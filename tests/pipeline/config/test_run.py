import pytest
from pydantic import ValidationError

from pipeline.config import CodeConfig, PersonalizationConfig
from tests.helpers.small_transform import settings_with

GATES = {
    "personalization_code": ["user_id"],
    "module_codes": {"mlp": ["is_new_user"]},
    "gates": {"output_variance": 0.5},
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
        mlp=False, attention=False, mmoe=False, experts=False
    )
    assert (
        plain.model
        == settings_with(model={"attention": {"num_heads": 3}}).plain().model
    )
    assert plain.model.attention.num_heads == 3
    other = {"exclude": {"model"}}
    assert plain.model_dump(**other) == config.model_dump(**other)


def test_plain_and_control_keep_the_codes_among_the_inputs():
    config = settings_with(model={**GATES, "input_codes": ["video_age"]})
    assert config.plain().model.input_codes == config.model.input_codes
    assert config.control().model.input_codes == config.model.input_codes


def test_the_control_has_the_same_gates_and_one_code_for_everybody():
    config = settings_with(model=GATES)
    control = config.control()
    assert control.model.poso.modules == ("mlp", "attention", "mmoe", "experts")
    for module in control.model.poso.modules:
        assert control.model.codes_of(module) == (CodeConfig(input="constant"),)
    codes = {"exclude": {"model": {"personalization_code", "module_codes"}}}
    assert control.model_dump(**codes) == config.model_dump(**codes)


def test_a_module_may_read_a_code_of_its_own():
    model = settings_with(model=GATES).model
    assert model.codes_of("mlp") == (CodeConfig(input="is_new_user"),)
    assert model.codes_of("mmoe") == (CodeConfig(input="user_id"),)


@pytest.mark.parametrize(
    ("module", "off"),
    [
        ("mlp", {"mlp": False}),
        ("attention", {"attention": False}),
        ("mmoe", {"mmoe": False}),
        ("experts", {"mmoe": False}),
        ("experts", {"experts": False}),
    ],
)
def test_the_code_of_a_module_without_gates_is_refused(module, off):
    model = {"poso": off, "module_codes": {module: ["is_new_user"]}}
    with pytest.raises(ValidationError, match=rf"module_codes\.{module} has no effect"):
        settings_with(model=model)
    assert settings_with(model={**model, "poso": {}}).model.codes_of(module)


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("avc", "ordered"),
        ("hours_since_first_launch", "ordered"),
        ("video_age", "ordered"),
        ("is_new_user", "one_hot"),
        ("user_id", "embedded"),
        ("video_id", "embedded"),
        ("all_features", None),
        ("constant", None),
    ],
)
def test_a_code_named_alone_has_the_encoding_of_its_kind(name, encoding):
    by_name, written_out = (
        settings_with(model={"personalization_code": [code]}).model.codes_of("mmoe")
        for code in (name, {"input": name, "encoding": encoding})
    )
    assert by_name == written_out == (CodeConfig(input=name, encoding=encoding),)
    assert by_name[0].encoding == encoding


def test_fusion_weights_that_are_all_zero_are_refused():
    weights = {"long_view": {"fusion_weight": 0}, "like": {"fusion_weight": 0}}
    with pytest.raises(ValidationError, match="at least one needs a fusion_weight"):
        settings_with(tasks=weights)


@pytest.mark.parametrize(
    "sections",
    [
        {"training": {"baseline": False}},
        {"model": {"poso": {"mlp": False, "attention": False, "mmoe": False}}},
    ],
)
def test_a_control_needs_gates_and_the_plain_baseline(sections):
    assert not settings_with(**sections).training.control
    sections["training"] = {**sections.get("training", {}), "control": True}
    with pytest.raises(
        ValidationError, match=r"training\.control needs a model with gates"
    ):
        settings_with(**sections)


def test_a_warm_start_needs_models_that_are_blessed():
    warm = {"training": {"warm_start": True}}
    assert settings_with(**warm).training.warm_start
    with pytest.raises(ValidationError, match=r"set evaluation\.enabled to true"):
        settings_with(**warm, evaluation={"enabled": False})


def test_a_date_takes_the_place_of_the_first_training_day():
    config = settings_with(split={"first_train_day": "2022-04-15"})
    assert config.by_day().split.first_train_day is None
    assert config.by_day().split.train_days == config.split.train_days


@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [
        ("split", "by", "user"),
        ("split", "eval_days", 2),
        ("examples", "engine", "beam"),
    ],
)
def test_what_no_run_of_a_date_can_be_is_refused(section, setting, value):
    with pytest.raises(ValueError, match=rf"{section}\.{setting}"):
        settings_with(**{section: {setting: value}}).by_day()


def test_drift_is_of_columns_that_are_compared():
    named = {"like": 0.01, "video_age_hours": None, "country": 1}
    assert settings_with(drift={"by_feature": named}).drift.by_feature == named
    for unknown in ("unheard", "history_tags", "event_time_ms"):
        with pytest.raises(
            ValidationError, match=f"drift.by_feature names '{unknown}'"
        ):
            settings_with(drift={"by_feature": {unknown: 0.1}})


def test_skew_is_of_columns_that_are_compared_and_asked():
    named = {"avc": 0.3, "video_age_hours": None, "country": 1}
    serving = settings_with(drift={"serving": {"by_feature": named}}).drift.serving
    assert serving.by_feature == named
    for unknown in ("unheard", "like", "play_time_ms", "history_tags"):
        with pytest.raises(
            ValidationError, match=f"drift.serving.by_feature names '{unknown}'"
        ):
            settings_with(drift={"serving": {"by_feature": {unknown: 0.1}}})


@pytest.mark.parametrize("logs", ["", "s3://bucket/logs"])
def test_serving_logs_are_in_a_folder_of_this_machine(logs):
    with pytest.raises(ValidationError, match="must be a folder of this machine"):
        settings_with(drift={"serving": {"logs": logs}})


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_a_distance_is_from_0_to_1(threshold):
    for name in ("max_categorical", "max_numeric", "max_missing"):
        with pytest.raises(ValidationError, match=name):
            settings_with(drift={name: threshold})
        with pytest.raises(ValidationError, match=name):
            settings_with(drift={"serving": {name: threshold}})
