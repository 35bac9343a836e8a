import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.contract.config import FeatureConfig
from serving.client.ranking_client import RankingClient, RankResult
from serving.client.transport import ModelMetadata
from serving.online.ranker import Ranker
from serving.online.user_store import UserStore
from serving.online.video_catalog import VideoCatalog
from serving.protocol.errors import InvalidArgument
from serving.protocol.tensor_spec import SignatureSpec
from tests.helpers.log_rows import HOUR, START, impression
from tests.helpers.toy_model import TASKS

CONFIG = FeatureConfig(
    history_length=3,
    extra=[
        {"name": "country", "entity": "user", "type": "categorical"},
        {"name": "interests", "entity": "context", "type": "list"},
        {"name": "quality", "entity": "video", "type": "numeric"},
    ],
)
NOW = START + 30 * HOUR


@pytest.fixture
def users():
    store = UserStore(None, CONFIG)
    store.observe([impression("anna", f"v{n}", at=n * HOUR) for n in range(5)])
    return store


@pytest.fixture
def videos(tmp_path):
    catalogue = {
        "video_id": ["v1", "v2"],
        "author_id": ["p", None],
        "video_tags": [["s", "t"], None],
        "video_upload_ms": [NOW - 6 * HOUR, NOW + HOUR],
        "quality": [0.5, None],
    }
    pq.write_table(pa.table(catalogue), tmp_path / "catalogue.parquet")
    return VideoCatalog(str(tmp_path / "catalogue.parquet"), CONFIG)


class Model:
    """A client of a model that takes any of the inputs, and what it was asked."""

    def __init__(self, *names, scores=(0.1, 0.3, 0.2)):
        self.names = names
        self.scores = np.float32(scores)
        self.asked = []
        self.changes_to = None

    def metadata(self, timeout_s=None):
        inputs = dict.fromkeys(self.names)
        return ModelMetadata(1, {"rank": SignatureSpec(inputs, {})})

    def rank(self, user, candidates, timeout_s=None):
        self.asked.append({**user, **candidates})
        if self.changes_to is not None:
            self.names, self.changes_to = self.changes_to, None
            raise InvalidArgument("another signature")
        return RankResult(("long_view",), self.scores[:, None], self.scores)


def test_looks_up_what_the_model_takes(users, videos):
    model = Model(
        "user_id",
        "avc",
        "history_video_ids",
        "country",
        "interests",
        "video_id",
        "author_id",
        "video_tags",
        "video_age_hours",
        "video_impressions",
        "is_new_video",
        "quality",
    )
    ranker = Ranker(model, users, videos, CONFIG, clock_ms=lambda: NOW)
    ranking = ranker.rank("anna", ["v1", "v2", "v9"], {"country": "PK"})
    (asked,) = model.asked
    assert asked == {
        "user_id": "anna",
        "avc": 5,
        "history_video_ids": ["v2", "v3", "v4"],
        "country": "PK",
        "interests": [],
        "video_id": ["v1", "v2", "v9"],
        "author_id": ["p", None, None],
        "video_tags": [["s", "t"], [], []],
        "video_age_hours": [6.0, None, None],
        "video_impressions": [1, 1, 0],
        "is_new_video": [1, 0, 0],
        "quality": [0.5, None, None],
    }
    assert ranking.video_ids == ("v2", "v9", "v1")
    np.testing.assert_array_equal(ranking.result.fused, np.float32([0.3, 0.2, 0.1]))
    np.testing.assert_array_equal(ranking.result.scores[:, 0], ranking.result.fused)


def test_equal_scores_keep_the_order_given(users, videos):
    model = Model("video_id", scores=(0.2, 0.5, 0.2))
    ranker = Ranker(model, users, videos, CONFIG, clock_ms=lambda: NOW)
    assert ranker.rank("anna", ["c", "b", "a"]).video_ids == ("b", "c", "a")


def test_a_moment_may_be_given(users, videos):
    model = Model("avc", "video_age_hours")
    ranker = Ranker(model, users, videos, CONFIG)
    ranker.rank("anna", ["v1", "v1", "v1"], time_ms=START + 4 * HOUR)
    assert model.asked[0]["avc"] == 4
    assert model.asked[0]["video_age_hours"] == [None] * 3


def test_a_model_that_takes_something_else_now_is_asked_again(users, videos):
    model = Model("user_id", "video_id")
    model.changes_to = ("avc", "quality")
    ranker = Ranker(model, users, videos, CONFIG, clock_ms=lambda: NOW)
    ranker.rank("anna", ["v1", "v2", "v3"])
    first, second = model.asked
    assert set(first) == {"user_id", "video_id"}
    assert set(second) == {"avc", "quality"}
    model.changes_to = ("avc", "quality")
    with pytest.raises(InvalidArgument, match="another signature"):
        ranker.rank("anna", ["v1", "v2", "v3"])


def test_features_that_nobody_declared_are_refused(users, videos):
    ranker = Ranker(Model("avc"), users, videos, CONFIG)
    for name in ("contry", "quality", "avc"):
        with pytest.raises(ValueError, match=rf"declares.*'country'.*\['{name}'\]"):
            ranker.rank("anna", ["v1"], {name: "x"})


@pytest.mark.e2e
def test_ranks_with_a_real_server(server, users, videos, in_process):
    with RankingClient(grpc=f"127.0.0.1:{server.grpc_port}") as client:
        ranker = Ranker(client, users, videos, CONFIG, clock_ms=lambda: NOW)
        ranking = ranker.rank("anna", ["v1", "v2", "never seen"])
        nobody = ranker.rank("nobody", ["v1"])
        assert ranker.rank("anna", ["v1"]).result.tasks == tuple(TASKS)
    expected = in_process(
        "rank",
        {
            "user_id": ["anna"],
            "avc": [5],
            "history_video_ids": [["v2", "v3", "v4"]],
            "history_gap_ms": [[28 * HOUR, 27 * HOUR, 26 * HOUR]],
            "video_id": ["v1", "v2", "never seen"],
            "video_tags": [["s", "t"], ["", ""], ["", ""]],
            "video_age_hours": [6.0, float("nan"), float("nan")],
        },
    )
    order = [["v1", "v2", "never seen"].index(v) for v in ranking.video_ids]
    np.testing.assert_array_equal(ranking.result.scores, expected["scores"][order])
    assert nobody.video_ids == ("v1",)


def test_a_column_that_no_model_reads_is_no_feature_of_a_request(users, videos):
    worth = {"name": "worth", "entity": "context", "type": "numeric", "input": False}
    config = FeatureConfig(history_length=3, extra=[worth])
    ranker = Ranker(Model(), users, videos, config)
    with pytest.raises(ValueError, match=r"declares for users or contexts: \[\]"):
        ranker.rank("anna", ["v1"], {"worth": 1.0}, time_ms=NOW)


def test_rates_are_the_users_or_the_candidates(videos):
    config = FeatureConfig(
        **CONFIG.model_dump(exclude={"labels", "rates"}),
        labels={"like": {"column": "is_like"}},
        rates={"subjects": {"user": {}, "video": {}, "user_x_tag": {}}, "strength": 2},
    )
    store = UserStore(None, config)
    watched = [impression("anna", f"v{n}", video_tags=["s"], is_like=1) for n in (1, 2)]
    store.observe(watched)
    model = Model("user_like_count", "video_like_count", "user_x_tag_like_rate")
    Ranker(model, store, videos, config, clock_ms=lambda: NOW).rank(
        "anna", ["v1", "v2", "v9"]
    )
    assert model.asked == [
        {
            "user_like_count": 2,
            "video_like_count": [1, 1, 0],
            # Of the catalogue's videos v1 alone has tags; all impressions were liked.
            "user_x_tag_like_rate": [1.0, 1.0, 1.0],
        }
    ]
