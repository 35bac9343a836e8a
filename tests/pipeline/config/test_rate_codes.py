"""Codes of rates and counts: how they are written, and what is wrong with some."""

import pytest
from pydantic import ValidationError

from pipeline.config import CodeConfig
from tests.helpers.rated_rows import FEATURES, rated_settings
from tests.helpers.small_transform import settings_with

SETTINGS_OF_CODES = [
    ("personalization_code", lambda codes: {"personalization_code": codes}),
    ("module_codes.mlp", lambda codes: {"module_codes": {"mlp": codes}}),
    ("input_codes", lambda codes: {"input_codes": codes}),
]


@pytest.mark.parametrize("name", ["user_like_rate", "video_like_count"])
def test_a_column_named_alone_is_an_ordered_code(name):
    codes = rated_settings(model={"personalization_code": [name]}).model.codes_of("mlp")
    assert codes == (CodeConfig(input=name, encoding="ordered"),)
    assert codes[0].of_bucket


def test_other_encodings_are_those_of_buckets():
    for encoding in ("thermometer", "numeric", "one_hot", "embedded"):
        code = {"input": "user_like_rate", "encoding": encoding}
        [read] = rated_settings(
            model={"personalization_code": [code]}
        ).model.personalization_code
        assert read.encoding == encoding
        assert read.of_bucket == (encoding != "embedded")


@pytest.mark.parametrize(("setting", "codes"), SETTINGS_OF_CODES)
def test_a_column_that_is_not_there_is_named_with_those_that_are(setting, codes):
    message = (
        rf"model\.{setting} names 'user_follow_rate', which is not a column of "
        r"features\.rates \(user_like_count, user_like_rate, video_like_count, .*\)"
    )
    with pytest.raises(ValidationError, match=message):
        rated_settings(model=codes(["user_follow_rate"]))
    with pytest.raises(ValidationError, match=r"there are none: features\.rates is"):
        settings_with(model=codes(["user_follow_rate"]))


@pytest.mark.parametrize(("setting", "codes"), SETTINGS_OF_CODES)
def test_a_code_without_buckets_says_what_to_set(setting, codes):
    message = rf"model\.{setting} names 'user_like_rate', .* transform\.rate_buckets"
    with pytest.raises(ValidationError, match=message):
        settings_with(features=FEATURES, model=codes(["user_like_rate"]))


@pytest.mark.parametrize("name", ["user_like", "user_like_rate_bucket", "", "avcs"])
def test_what_is_neither_an_input_nor_formed_as_a_rate_is_refused_at_once(name):
    with pytest.raises(ValidationError, match=r"expected one of avc, .*or a column of"):
        CodeConfig(input=name)


def test_buckets_without_rates_have_no_effect():
    with pytest.raises(ValidationError, match=r"no effect without features\.rates"):
        settings_with(transform={"rate_buckets": 5})


@pytest.mark.parametrize(
    "features",
    [
        {
            "extra": [
                {
                    "name": "User_like_rate_bucket",
                    "entity": "user",
                    "type": "categorical",
                }
            ]
        },
        {
            "labels": {
                **FEATURES["labels"],
                "user_like_rate_bucket": {"column": "is_hate"},
            }
        },
    ],
)
def test_a_buckets_name_must_be_free(features):
    features = {**FEATURES, **features}
    assert settings_with(features=features)
    with pytest.raises(
        ValidationError, match="is called user_like_rate_bucket, which must not be"
    ):
        settings_with(features=features, transform={"rate_buckets": 5})
