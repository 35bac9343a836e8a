import pytest
from pydantic import ValidationError

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.names import check_name

LIKE = {"column": "is_like"}


@pytest.mark.parametrize("name", ["like", "Like2", "long_view", "x" * 64, "history_of"])
def test_a_plain_word_is_a_name(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "long view",
            "60_percent",
            "a.b",
            "a/b",
            "a-b",
            "like%",
            "_like",
            "like\n",
        ),
        *("café", "Größe", "赞", "٣a", "a٣", "x" * 65),
        *("class", "None", "lambda", "self"),
    ],
)
def test_other_names_are_refused_with_the_letters_a_name_may_have(name):
    for settings in (
        {"labels": {name: LIKE}},
        {"extra": [{"name": name, "entity": "user", "type": "numeric"}]},
    ):
        with pytest.raises(ValidationError, match=r"letters \(a-z, A-Z\), digits and"):
            FeatureConfig.model_validate(settings)


@pytest.mark.parametrize(
    ("labels", "extras", "pair"),
    [
        (["like", "Like"], [], "'Like', 'like'"),
        (["User_Id"], [], "'User_Id', 'user_id'"),
        (["like"], ["LIKE"], "'LIKE', 'like'"),
        ([], ["Tab", "tab"], "'Tab', 'tab'"),
    ],
)
def test_names_that_differ_in_case_alone_are_refused(labels, extras, pair):
    with pytest.raises(ValidationError, match=pair):
        FeatureConfig.model_validate(
            {
                "labels": dict.fromkeys(labels, LIKE),
                "extra": [
                    {"name": name, "entity": "user", "type": "numeric"}
                    for name in extras
                ],
            }
        )


def test_the_key_that_training_groups_by_is_taken():
    with pytest.raises(ValidationError, match="'user_key' is the name of another"):
        FeatureConfig.model_validate({"labels": {"user_key": LIKE}})
