"""Settings of a training that contradict each other, or name what is not there."""

import math

import pytest
from pydantic import BaseModel, ValidationError

from pipeline.config import (
    ConfigError,
    RunConfig,
    TrainerPart,
    TrainingConfig,
    load_config,
)
from tests.helpers.small_transform import settings_with


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {"schedule": {"warmup_steps": 5, "warmup_share": 0.1}},
            "warmup_steps and warmup_share are mutually exclusive",
        ),
        ({"schedule": {"decay": "exponential"}}, "final_share must be above 0"),
        ({"schedule": {"warmup_share": 1.0}}, "less than 1"),
        ({"sample_weights": {"by_group": {"newcomer": 2}}}, "'new', 'returning'"),
        ({"sample_weights": {"by_group": {"new": -1}}}, "greater than or equal to 0"),
        (
            {
                "sample_weights": {
                    "by_group": dict.fromkeys(
                        ("new", "returning", "inactive", "regular"), 0
                    )
                }
            },
            "at least one group needs a weight above 0",
        ),
        (
            {"sample_weights": {"column": "is_like"}},
            r"'is_like', which is not a numeric column \(play_time_ms, "
            r"video_duration_ms, loudness, battery\)",
        ),
        (
            {"early_stopping": {"task": "follow"}},
            r"early_stopping.task names 'follow', which is not a task",
        ),
        ({"tensorboard": {"profile_steps": [9, 3]}}, r"must be \[first, last\]"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"seed": 1 << 32}, "less than 4294967296"),
        (
            {"strategy": {"kind": "tpu"}, "early_stopping": {"task": "like"}},
            r"early_stopping\.task cannot be used with strategy\.kind tpu",
        ),
        (
            {"strategy": {"kind": "tpu"}, "warm_start": True},
            r"warm_start cannot be used with strategy\.kind tpu",
        ),
        (
            {
                "strategy": {"kind": "tpu"},
                "embedding_optimizer": {"name": "clippy_adagrad"},
            },
            r"must be lazy_adam, adam or adagrad .* tpu.*Received: clippy_adagrad",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(section, message):
    with pytest.raises(ValidationError, match=message):
        settings_with(training=section)


def test_what_can_be_is_taken():
    training = settings_with(
        training={
            "schedule": {"warmup_share": 0.1, "decay": "linear"},
            "sample_weights": {"by_group": {"new": 10}, "column": "play_time_ms"},
            "early_stopping": {"task": "like", "group": "new"},
            "tensorboard": {"profile_steps": [3, 9]},
        }
    ).training
    assert training.early_stopping.monitor == "val_like_gauc_new"
    assert training.schedule.needs_steps
    assert training.tensorboard.profile_steps == (3, 9)


WITHOUT_EFFECT = [
    ({"strategy": {"local_workers": 2}}, "local_workers", "kind none"),
    ({"strategy": {"kind": "tpu", "local_workers": 2}}, "local_workers", "kind tpu"),
    ({"strategy": {"replicas": 2}}, "replicas", "kind none"),
    ({"strategy": {"kind": "multi_worker", "replicas": 2}}, "replicas", "kind multi"),
    ({"strategy": {"local_servers": 3}}, "local_servers", "kind none"),
    (
        {"strategy": {"kind": "parameter_server", "local_servers": 3}},
        "local_servers",
        "without local_workers",
    ),
    ({"strategy": {"min_shard_bytes": 9}}, "min_shard_bytes", "kind none"),
    ({"strategy": {"kind": "mirrored", "tpu": "local"}}, "tpu", "kind mirrored"),
    (
        {"strategy": {"kind": "parameter_server", "scale_learning_rate": "linear"}},
        "scale_learning_rate",
        "kind parameter_server",
    ),
    ({"embedding": {"tpu_min_rows": 9}}, "tpu_min_rows", r"strategy\.kind none"),
    ({"early_stopping": {"group": "new"}}, "group", "without task"),
    ({"early_stopping": {"patience": 5}}, "patience", "without task"),
    ({"early_stopping": {"min_delta": 0.1}}, "min_delta", "without task"),
    ({"schedule": {"final_share": 0.1}}, "final_share", "decay constant"),
    ({"mlflow": {"experiment": "feeds"}}, "experiment", "without tracking_uri"),
    ({"warm_start_epochs": 1}, "warm_start_epochs", "without warm_start"),
]


@pytest.mark.parametrize(("section", "name", "why"), WITHOUT_EFFECT)
def test_what_would_have_no_effect_is_refused(section, name, why):
    with pytest.raises(ValidationError, match=rf"{name} has no effect .*{why}"):
        settings_with(training=section)


def test_defaults_may_be_written_out_where_they_have_no_effect():
    defaults = TrainingConfig().model_dump()
    assert TrainingConfig(**defaults) == TrainingConfig()
    config = settings_with(training={"strategy": {"kind": "mirrored", "replicas": 2}})
    part = config.part(TrainerPart)
    assert TrainerPart.model_validate_json(part.model_dump_json()) == part


@pytest.mark.parametrize("kind", ["parameter_server", "tpu"])
def test_a_strategy_that_cannot_scale_the_loss_refuses_float16(kind):
    training = {"strategy": {"kind": kind}}
    with pytest.raises(ValidationError, match=f"kind {kind}: use mixed_bfloat16"):
        settings_with(model={"mixed_precision": "mixed_float16"}, training=training)
    bfloat16 = {"mixed_precision": "mixed_bfloat16"}
    assert settings_with(model=bfloat16, training=training).training.strategy.kind


@pytest.mark.parametrize("kind", ["none", "mirrored", "multi_worker"])
def test_a_strategy_that_can_scale_the_loss_takes_float16(kind):
    precision = {"mixed_precision": "mixed_float16"}
    config = settings_with(model=precision, training={"strategy": {"kind": kind}})
    assert config.model.mixed_precision == "mixed_float16"


def test_a_slice_of_all_users_has_no_suffix():
    training = settings_with(training={"early_stopping": {"task": "like"}}).training
    assert training.early_stopping.monitor == "val_like_gauc"


@pytest.mark.parametrize(
    ("schedule", "needed"),
    [
        ({}, False),
        ({"warmup_steps": 5}, True),
        ({"warmup_share": 0.5}, True),
        ({"decay": "cosine"}, True),
    ],
)
def test_all_steps_are_counted_where_they_matter_alone(schedule, needed):
    training = settings_with(training={"schedule": schedule}).training
    assert training.schedule.needs_steps == needed


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan"])
@pytest.mark.parametrize(
    "key",
    ["training.learning_rate", "training.clip_norm", "features.new_video.max_days"],
)
def test_numbers_must_be_finite(tmp_path, key, number):
    path = tmp_path / "run.yaml"
    path.write_text(
        "source: {format: parquet}\n"
        "features: {labels: {like: {column: is_like}}}\ntasks: {like: {}}\n"
    )
    with pytest.raises(ConfigError) as raised:
        load_config(path, [f"{key}={number}"])
    [_, line] = str(raised.value).splitlines()
    received = float(number.replace(".", ""))
    assert line == f"  {key}: Input should be a finite number. Received: {received}"


def sections(kind, seen):
    """Every section of the configuration, however deep."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
        seen.add(kind)
        for field in kind.model_fields.values():
            sections(field.annotation, seen)
    for inner in getattr(kind, "__args__", ()):
        sections(inner, seen)
    return seen


def test_no_section_takes_infinity():
    found = sections(RunConfig, set())
    assert len(found) > 15
    for kind in found:
        assert kind.model_config.get("allow_inf_nan") is False, kind


def test_infinity_inside_of_lists_and_mappings_is_refused():
    for changed in (
        {"transform": {"avc_boundaries": [1, math.inf]}},
        {"training": {"sample_weights": {"by_group": {"new": math.nan}}}},
    ):
        with pytest.raises(ValidationError, match="finite number"):
            settings_with(**changed)
