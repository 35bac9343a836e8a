import pyarrow as pa
import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.schema import check_columns, check_types, impression_schema
from preprocessing.storage.files import SourceError
from tests.helpers.log_rows import LABELS

CONFIG = FeatureConfig(
    labels=LABELS, extra=[{"name": "tab", "entity": "context", "type": "categorical"}]
)


@pytest.mark.parametrize(
    "missing", ["user_id", "event_time_ms", "play_time_ms", "is_like", "tab"]
)
def test_a_missing_column_is_named_with_its_file(missing):
    names = [name for name in impression_schema(CONFIG).names if name != missing]
    with pytest.raises(
        SourceError, match=f"day.parquet: column '{missing}' is missing; expected"
    ):
        check_columns(names, "day.parquet", CONFIG)


def test_optional_columns_may_be_missing():
    check_columns(["user_id", "video_id", "event_time_ms"], "f", FeatureConfig())


def test_a_column_may_not_be_there_twice():
    names = [*impression_schema(CONFIG).names, "user_id"]
    with pytest.raises(SourceError, match="'user_id' is there more than once"):
        check_columns(names, "f", CONFIG)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("user_id", pa.float64()),
        ("event_time_ms", pa.string()),
        ("play_time_ms", pa.list_(pa.int64())),
        ("video_tags", pa.int64()),
        ("video_tags", pa.list_(pa.float32())),
        ("prior_view_count", pa.timestamp("ms")),
        ("tab", pa.struct([])),
    ],
)
def test_an_unusable_type_is_named(name, kind):
    with pytest.raises(SourceError) as caught:
        check_types(pa.schema([(name, kind)]), "day.parquet", CONFIG)
    for part in ("day.parquet", name, "expected", f"Received: {kind}"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("user_id", pa.int32()),
        ("user_id", pa.dictionary(pa.int32(), pa.string())),
        ("video_id", pa.large_string()),
        ("event_time_ms", pa.timestamp("us", tz="UTC")),
        ("event_time_ms", pa.float64()),
        ("is_like", pa.bool_()),
        ("author_id", pa.null()),
        ("video_tags", pa.list_(pa.int64())),
        ("video_tags", pa.large_list(pa.string())),
        ("video_tags", pa.string()),
    ],
)
def test_usable_types(name, kind):
    check_types(pa.schema([(name, kind)]), "f", CONFIG)
