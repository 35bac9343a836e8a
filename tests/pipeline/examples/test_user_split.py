from collections import Counter

import pyarrow as pa
import pytest

from pipeline.config import SplitConfig
from pipeline.examples.day_split import EVAL, TRAIN, EmptySplitError
from pipeline.examples.user_split import UserSplit

USERS = [f"u{i}" for i in range(2000)]


def table(users):
    return pa.table({"user_id": pa.array(users, pa.string())})


def users_of(split, name, users=USERS):
    return split.select(table(users), name)["user_id"].to_pylist()


def test_a_user_is_in_one_split_with_all_rows_whatever_the_table():
    split = UserSplit(SplitConfig(by="user", train_user_share=0.3))
    train, test = users_of(split, TRAIN), users_of(split, EVAL)
    assert sorted(train + test) == sorted(USERS)
    again = users_of(split, TRAIN, USERS[::-1] + USERS)
    assert Counter(again) == Counter(train + train)


@pytest.mark.parametrize("share", [0.1, 0.5, 100 / 138])
def test_the_share_of_users_is_about_the_configured_one(share):
    split = UserSplit(SplitConfig(by="user", train_user_share=share))
    assert len(users_of(split, TRAIN)) / len(USERS) == pytest.approx(share, abs=0.04)


def test_a_larger_share_only_adds_users():
    small, large = (
        set(users_of(UserSplit(SplitConfig(by="user", train_user_share=share)), TRAIN))
        for share in (0.3, 0.6)
    )
    assert small < large


def test_counts_say_what_each_split_holds():
    split = UserSplit(SplitConfig(by="user", train_user_share=0.3))
    counts = split.count(table(USERS)) + split.count(table(USERS[:10]))
    described = split.describe(counts)
    assert sum(described["days"].values()) == 2010
    trained = len(users_of(split, TRAIN)) + len(users_of(split, TRAIN, USERS[:10]))
    assert described["days"]["users to train on"] == trained
    assert split.count(table([])) == Counter()


def test_a_split_without_users_is_an_error():
    split = UserSplit(SplitConfig(by="user", train_user_share=0.3))
    with pytest.raises(EmptySplitError, match=r"eval split .*train_user_share \(0.3\)"):
        split.describe(Counter({0: 5}))
