import pytest
import yaml

from pipeline.config import CodeConfig, ConfigError, dump_config, load_config

MINIMAL = {
    "source": {"format": "parquet"},
    "features": {"labels": {"long_view": {"rule": "long_view", "percent": 50}}},
    "tasks": {"long_view": {}},
}


@pytest.fixture
def config_file(tmp_path):
    def write(**changes):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump({**MINIMAL, **changes}))
        return path

    return write


def test_defaults_fill_what_is_not_said(config_file):
    config = load_config(config_file())
    assert config.split.train_days == 7
    assert config.features.history_length == 30
    assert config.model.personalization_code == (
        CodeConfig(input="avc", encoding="ordered"),
    )


def test_written_configuration_reads_back_equal(config_file, tmp_path):
    config = load_config(config_file(), ["training.epochs=5", "name=again"])
    copy = tmp_path / "copy.yaml"
    copy.write_text(dump_config(config))
    assert load_config(copy) == config


def test_overrides_reach_into_missing_sections(config_file):
    overrides = ["model.mmoe.num_experts=7", "model.poso={mmoe: false}"]
    config = load_config(config_file(), overrides)
    assert config.model.mmoe.num_experts == 7
    assert not config.model.poso.mmoe
    assert config.model.poso.mlp


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "training.epoch: unknown key; did you mean 'epochs'?"),
        ("trainin.epochs=3", "trainin: unknown key; did you mean 'training'?"),
        (
            "tasks={long_view: {wieght: 1}}",
            "tasks.long_view.wieght: unknown key; did you mean 'weight'?",
        ),
        (
            "features.labels.long_view.percnt=3",
            "features.labels.long_view.percnt: unknown key; did you mean 'percent'?",
        ),
        ("training.epochs=0", "training.epochs: Input should be greater than 0"),
        ("model.dropout=1.5", "model.dropout: Input should be less than 1"),
        ("source.format=xml", "source.format: Input should be"),
        ("tasks={}", "at least one task is needed"),
        (
            "tasks={likes: {}}",
            "tasks names 'likes', which is not a label in features.labels (long_view)",
        ),
        (
            "evaluation.blessing_tasks=[like]",
            "evaluation.blessing_tasks names 'like', which is not a task (long_view)",
        ),
        ("transform.avc_boundaries=[4, 2]", "boundaries must ascend"),
        (
            "model.attention={key_mode: shared, value_mode: shared}",
            "must not all be shared: nothing would be personalized",
        ),
        (
            "model.personalization_code=[avcc]",
            "model.personalization_code.0.input: expected one of avc, ",
        ),
        (
            "model.personalization_code=[avc, is_new_user, avc]",
            "a code must not be named twice. Received: avc, is_new_user, avc",
        ),
        (
            "model.module_codes={mlp: [{input: user_id, encoding: one_hot}]}",
            "user_id is an id, so its encoding must be embedded. Received: one_hot",
        ),
        (
            "model.personalization_code=[{input: constant, encoding: numeric}]",
            "constant has no encoding: leave it out. Received: numeric",
        ),
        ("model.module_codes={mlp: []}", "model.module_codes.mlp: Value should have"),
        ("model.module_codes={tower: [avc]}", "model.module_codes.tower"),
        (
            "model.input_codes=[user_id]",
            "model.input_codes: must be buckets that are not embedded",
        ),
        ("training.strategy.kind=horovod", "training.strategy.kind: Input should be"),
        ("features.last_day=2022-13-01", "--set features.last_day: '2022-13-01'"),
        (
            "features.labels={a b: {column: c}}",
            "features.labels.a b: a name has letters",
        ),
        ("tasks={a/b: {}}", "tasks.a/b: a name has letters"),
        ("serving.model_name=a/b", "serving.model_name: String should match pattern"),
        (
            "evaluation.blessing_tasks=[]",
            "evaluation.blessing_tasks: Tuple should have",
        ),
        (
            "transform.vocabularies.user_idd={}",
            "transform.vocabularies names 'user_idd', which is not a column of ids",
        ),
    ],
)
def test_a_bad_value_is_named(config_file, override, message):
    with pytest.raises(ConfigError) as error:
        load_config(config_file(), [override])
    assert message in str(error.value)


@pytest.mark.parametrize("override", ["training.epochs", "=3", "name.x=1", "name=[a"])
def test_a_bad_override_is_refused(config_file, override):
    with pytest.raises(ConfigError, match=r"--set|the configuration"):
        load_config(config_file(name="demo"), [override])


def test_a_missing_file_and_a_non_mapping_are_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(tmp_path / "nowhere.yaml")
    path = tmp_path / "list.yaml"
    path.write_text("- 1\n")
    with pytest.raises(ConfigError, match="must hold a mapping"):
        load_config(path)
    path.write_bytes(b"name: \xff")
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(path)
    path.write_text("name: a\nname: b\n")
    with pytest.raises(ConfigError, match="the key 'name' is given twice"):
        load_config(path)
    path.write_text("a: [1\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_config(path)


@pytest.mark.parametrize("name", ["demo", "kuairand"])
def test_the_shipped_configurations_are_valid(name, request):
    folder = request.config.rootpath / "configs"
    config = load_config(folder / f"{name}.yaml")
    assert config.name == name
    assert not config.plain().model.poso.any
