"""The page of settings against the configuration's keys and defaults."""

import re

import pytest
import yaml

from pipeline.config import FitConfig, ModelConfig, TaskConfig
from tests.helpers.config_keys import schema_keys

# Settings that other pages explain.
ELSEWHERE = (
    "training.strategy.",
    "training.checkpoint_minutes",
    "training.deterministic",
    "tasks.NAME.fusion_weight",
)
WORDS = {"none": None, "all users": None}


@pytest.fixture(scope="module")
def rows(pytestconfig):
    text = (pytestconfig.rootpath / "docs" / "training_settings.md").read_text()
    found = re.findall(r"^\| `(.*?)` \| (.*?) \| .*\|$", text, re.M)
    return {key: default.strip("`") for key, default in found}


def test_every_setting_of_a_training_has_a_row(rows):
    keys = [
        *schema_keys(FitConfig, "training."),
        *schema_keys(TaskConfig, "tasks.NAME."),
    ]
    wanted = {key for key in keys if not key.startswith(ELSEWHERE)}
    assert wanted <= set(rows)


def test_the_defaults_are_those_of_the_configuration(rows):
    sections = {
        "training": FitConfig(),
        "model": ModelConfig(),
        "tasks.NAME": TaskConfig(),
    }
    for key, written in rows.items():
        for place, section in sections.items():
            if key.startswith(f"{place}."):
                value = section
                for part in key.removeprefix(f"{place}.").split("."):
                    value = getattr(value, part)
                shown = WORDS.get(written, yaml.safe_load(written))
                assert (value or None) == (shown or None), key
