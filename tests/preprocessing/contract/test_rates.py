import pytest
from pydantic import ValidationError

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.rates import DEFAULT_SUBJECTS, MOST_LABELS
from tests.helpers.log_rows import LABELS

EXTRA = [
    {"name": "country", "entity": "user", "type": "categorical"},
    {"name": "topics", "entity": "video", "type": "list"},
    {"name": "tab", "entity": "context", "type": "categorical"},
    {"name": "price", "entity": "video", "type": "numeric"},
]


def features(subjects=None, labels=LABELS, extra=EXTRA, **rates):
    rates |= {} if subjects is None else {"subjects": {name: {} for name in subjects}}
    return FeatureConfig(labels=labels, extra=extra, rates=rates)


def test_the_default_counts_items_by_the_moment_and_users_by_the_day():
    config = features()
    clocks = {subject.name: subject.clock for subject in config.rate_subjects}
    assert tuple(clocks) == DEFAULT_SUBJECTS
    assert {n for n, clock in clocks.items() if clock == "moment"} == {
        "video",
        "author",
        "tag",
    }
    assert config.rate_labels == tuple(LABELS)


def test_columns_are_named_by_subject_and_label():
    config = features(["video", "user_x_tag"], labels={"like": {"column": "is_like"}})
    assert config.rate_columns == (
        "video_like_count",
        "video_like_rate",
        "user_x_tag_like_count",
        "user_x_tag_like_rate",
    )


def test_without_rates_there_are_no_subjects_and_columns():
    config = FeatureConfig(labels=LABELS)
    assert (config.rate_labels, config.rate_subjects, config.rate_columns) == ((),) * 3


@pytest.mark.parametrize(
    ("name", "columns", "side", "counted_in"),
    [
        ("video", ("video_id",), "video", "videos"),
        ("tag", ("video_tags",), "video", "subjects"),
        ("country", ("country",), "user", "subjects"),
        ("user_x_author", ("user_id", "author_id"), "video", "users"),
        ("user_x_country", ("user_id", "country"), "user", "users"),
        ("user_x_tab", ("user_id", "tab"), "context", "users"),
        ("video_x_country", ("video_id", "country"), "video", "videos"),
        ("author_x_topics", ("author_id", "topics"), "video", "subjects"),
    ],
)
def test_subjects(name, columns, side, counted_in):
    (subject,) = features([name]).rate_subjects
    assert subject.columns == columns
    assert (subject.side, subject.counted_in) == (side, counted_in)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("channel", "expected one of country, topics, tab, user, video, author, tag"),
        ("price", "expected one of"),
        ("user_x_user", "two different ones"),
        ("tag_x_topics", "at most one of them a list"),
        ("author_x_user", "expected 'user_x_author'"),
        ("tag_x_video", "expected 'video_x_tag'"),
    ],
)
def test_a_subject_that_there_is_not_is_an_error(name, message):
    with pytest.raises(ValidationError, match=message):
        features([name])


def test_labels_must_be_there():
    with pytest.raises(ValidationError, match="Received: praised"):
        FeatureConfig(labels=LABELS, rates={"labels": ["praised"]})
    with pytest.raises(ValidationError, match="Received: none"):
        FeatureConfig(rates={})
    many = {f"l{i}": {"column": "is_like"} for i in range(MOST_LABELS + 1)}
    with pytest.raises(ValidationError, match="expected 1 to 31"):
        FeatureConfig(labels=many, rates={})


def test_a_rates_column_has_its_name_for_itself():
    taken = [{"name": "video_like_rate", "entity": "video", "type": "numeric"}]
    with pytest.raises(ValidationError, match="'video_like_rate' is the name"):
        features(["video"], extra=taken)
