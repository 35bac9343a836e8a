import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.contract.config import FeatureConfig
from preprocessing.state.files import finish_state, open_state, read_all, read_state
from preprocessing.state.schema import USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA, StateError

CONFIG = FeatureConfig(
    history_length=5, labels={"long_view": {"rule": "long_view"}}, utc_offset_hours=8
)
LONG = CONFIG.model_copy(update={"history_of": "long_views"})


def write_parts(folder):
    for name, schema in (
        ("user_state", USER_STATE_SCHEMA),
        ("video_state", VIDEO_STATE_SCHEMA),
    ):
        (folder / name).mkdir(parents=True)
        pq.write_table(schema.empty_table(), folder / name / "part-0.parquet")


@pytest.fixture
def state(tmp_path):
    write_parts(tmp_path / "state")
    finish_state(str(tmp_path / "state"), 1_650_000_000_007, CONFIG, None)
    return tmp_path / "state"


@pytest.mark.parametrize("place", [".", ".."])
def test_a_state_is_found_by_its_folder_or_the_runs(state, place):
    found = open_state(str(state / place), CONFIG)
    assert found.info.watermark_ms == 1_650_000_000_007
    assert found.info.watermark == "2022-04-15T05:20:00.007Z"
    assert [file.name for file in found.files] == ["part-0.parquet"] * 2


def test_the_description_keeps_its_keys(state):
    assert json.loads((state / "state.json").read_text()) == {
        "through_ms": 1_650_000_000_007,
        "utc_offset_hours": 8,
        "history_of": "impressions",
        "history_length": 5,
        "format": 1,
    }


def test_without_its_last_file_there_is_no_state(state):
    (state / "state.json").unlink()
    with pytest.raises(StateError, match=r"holds no state: expected state\.json"):
        open_state(str(state), CONFIG)


def test_an_end_never_moves_back(state):
    info = open_state(str(state)).info
    finish_state(str(state), 5, CONFIG, info)
    assert open_state(str(state)).info.watermark_ms == info.watermark_ms
    finish_state(str(state), None, CONFIG, info)
    assert open_state(str(state)).info.watermark_ms == info.watermark_ms


def test_days_of_another_offset_are_refused(state):
    other = CONFIG.model_copy(update={"utc_offset_hours": -3.5})
    with pytest.raises(StateError, match=r"offset_hours 8\. Received: .*hours -3.5"):
        open_state(str(state), other)


BERLIN = FeatureConfig(time_zone="Europe/Berlin")


def test_days_of_a_time_zone_are_kept_by_its_name(state):
    finish_state(str(state), 5, BERLIN, None)
    values = json.loads((state / "state.json").read_text())
    assert values["time_zone"] == "Europe/Berlin"
    assert "utc_offset_hours" not in values
    assert open_state(str(state), BERLIN).info.calendar == "Europe/Berlin"


@pytest.mark.parametrize(
    "other", [FeatureConfig(time_zone="Asia/Shanghai"), CONFIG, FeatureConfig()]
)
def test_days_of_another_time_zone_are_refused(state, other):
    finish_state(str(state), 5, BERLIN, None)
    with pytest.raises(StateError, match=r"time_zone Europe/Berlin\. Received: feat"):
        open_state(str(state), other)


def test_days_of_an_offset_are_no_time_zones(state):
    with pytest.raises(StateError, match=r"Received: .*time_zone Europe/Berlin"):
        open_state(str(state), BERLIN)


def test_long_views_alone_cannot_become_all_impressions(state):
    open_state(str(state), LONG)
    finish_state(str(state), 5, LONG, None)
    open_state(str(state), LONG)
    with pytest.raises(StateError, match="lists long views alone"):
        open_state(str(state), CONFIG)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"through_ms": 1}'])
def test_an_unreadable_description_is_named(state, text):
    (state / "state.json").write_text(text)
    with pytest.raises(StateError, match=r"state\.json does not describe a state"):
        open_state(str(state))


def test_a_later_format_is_refused(state):
    info = json.loads((state / "state.json").read_text())
    (state / "state.json").write_text(json.dumps({**info, "format": 2}))
    with pytest.raises(StateError, match=r"format 1\. Received: 2"):
        open_state(str(state))


def test_a_truncated_file_is_named(state):
    path = state / "user_state" / "part-0.parquet"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(StateError, match=r"part-0\.parquet is no whole Parquet"):
        list(read_state(open_state(str(state)).user_files[0]))


def test_rows_come_back(tmp_path):
    rows = pa.Table.from_pylist(
        [{"video_id": f"v{i}", "impressions": i} for i in range(5)],
        schema=VIDEO_STATE_SCHEMA,
    )
    write_parts(tmp_path)
    path = tmp_path / "video_state" / "part-0.parquet"
    pq.write_table(rows, path, row_group_size=2)
    finish_state(str(tmp_path), 1, CONFIG, None)
    parts = list(read_state(open_state(str(tmp_path)).video_files[0]))
    assert len(parts) == 3
    assert pa.concat_tables(parts).equals(rows)
    assert parts[0].schema.equals(VIDEO_STATE_SCHEMA, check_metadata=True)
    assert read_all(open_state(str(tmp_path)).video_files, VIDEO_STATE_SCHEMA).equals(
        rows
    )


@pytest.mark.parametrize("schema", [USER_STATE_SCHEMA, VIDEO_STATE_SCHEMA])
def test_of_no_files_the_columns_are_read(schema):
    assert read_all((), schema).equals(schema.empty_table())
