import datetime
from pathlib import Path

import pytest
import yaml

from experiments.arms.day_arms import WITH, WITHOUT, day_arms
from pipeline.config import ConfigError, load_config

DAYS = [datetime.date(2022, 5, 2), datetime.date(2022, 5, 4)]


@pytest.fixture
def config_file(pytestconfig):
    return pytestconfig.rootpath / "configs" / "kuairand.yaml"


def configs(config_file, overrides=(), rates=()):
    arms = day_arms(config_file, Path("log"), Path("out"), DAYS, overrides, rates)
    return {(arm.day, arm.arm): arm.experiment.config(2) for arm in arms}


def test_each_arm_is_trained_through_the_day_before_each_day(config_file):
    found = configs(config_file, ["split.train_days=3", "split.eval_days=2"])
    assert list(found) == [(day, arm) for day in DAYS for arm in (WITHOUT, WITH)]
    for (day, _), config in found.items():
        assert config.split.first_train_day == day - datetime.timedelta(days=3)
        assert (config.split.train_days, config.split.eval_days) == (3, 1)
        assert config.training.seed == 2


def test_the_model_is_trained_alone_and_not_judged(config_file):
    for config in configs(config_file).values():
        assert not config.training.baseline
        assert not config.training.control
        assert not config.evaluation.enabled


def test_the_arms_differ_in_rates_alone(config_file):
    found = configs(config_file)
    without, with_rates = found[DAYS[0], WITHOUT], found[DAYS[0], WITH]
    assert without.features.rates is None
    default = load_config(config_file, ["features.rates={}"]).features.rates
    assert with_rates.features.rates == default
    features = without.features.model_copy(update={"rates": default})
    assert without.model_copy(update={"features": features}) == with_rates


def test_one_arm_can_be_varied(config_file):
    found = configs(
        config_file,
        ["training.epochs=2"],
        ["features.rates.labels=[like]", "model.dropout=0.3"],
    )
    without, with_rates = found[DAYS[0], WITHOUT], found[DAYS[0], WITH]
    assert without.training.epochs == with_rates.training.epochs == 2
    assert with_rates.features.rate_labels == ("like",)
    assert without.features.rates is None
    assert (without.model.dropout, with_rates.model.dropout) == (0.1, 0.3)


def test_rates_of_the_configuration_stay_as_they_are(config_file, tmp_path):
    values = yaml.safe_load(config_file.read_text())
    values["features"]["rates"] = {"labels": ["click"]}
    changed = tmp_path / "rates.yaml"
    changed.write_text(yaml.safe_dump(values, sort_keys=False))
    found = configs(changed)
    assert found[DAYS[0], WITH].features.rate_labels == ("click",)
    assert found[DAYS[0], WITHOUT].features.rates is None


def test_every_arm_has_a_folder_of_its_own(config_file):
    arms = day_arms(config_file, Path("log"), Path("out"), DAYS, [], [])
    assert len({arm.experiment.out for arm in arms}) == len(arms)
    assert arms[1].experiment.out == Path("out/2022-05-02/with")


def test_a_split_by_users_has_no_days(config_file):
    with pytest.raises(ConfigError, match=r"split.by must be day. Received: user"):
        configs(config_file, ["split.by=user", "split.first_train_day=null"])


def test_what_an_arm_cannot_have_is_said_before_anything_runs(config_file):
    with pytest.raises(ConfigError, match="no_label"):
        configs(config_file, rates=["features.rates.labels=[no_label]"])
