import pyarrow as pa
import pyarrow.parquet as pq

from preprocessing.contract.config import FeatureConfig
from serving.online.video_catalog import VideoCatalog

HOUR = 3_600_000
CONFIG = FeatureConfig(new_video={"max_days": 1, "max_impressions": 5})


def test_gives_candidates_features_in_the_order_asked_for(tmp_path):
    upload = [0, 30 * HOUR]
    table = pa.table({"video_id": ["a", "b"], "video_upload_ms": upload})
    pq.write_table(table, tmp_path / "videos.parquet")
    catalog = VideoCatalog(str(tmp_path), CONFIG)
    assert len(catalog) == 2
    assert "a" in catalog
    assert "c" not in catalog
    features = catalog.features(["b", "c", "a", "b"], [4, 0, 9, 4], 36 * HOUR)
    assert features == {
        "video_id": ["b", "c", "a", "b"],
        "author_id": [None] * 4,
        "video_tags": [[]] * 4,
        "video_upload_ms": [30 * HOUR, None, 0, 30 * HOUR],
        "video_age_hours": [6.0, None, 36.0, 6.0],
        "video_impressions": [4, 0, 9, 4],
        "is_new_video": [1, 0, 0, 1],
    }


def test_without_a_catalogue_every_video_is_unknown():
    features = VideoCatalog(None, CONFIG).features(["a"], [0], HOUR)
    assert features["video_id"] == ["a"]
    assert features["video_age_hours"] == [None]
    assert VideoCatalog(None, CONFIG).features([], [], HOUR)["video_id"] == []
