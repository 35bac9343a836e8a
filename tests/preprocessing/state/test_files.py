import json
import os
import shutil

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
    values = json.loads((state / "state.json").read_text())
    files = values.pop("files")
    assert list(files) == ["user_state/part-0.parquet", "video_state/part-0.parquet"]
    assert values == {
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


def write_rows(folder, count=4):
    """A state of two video parts with rows, and an empty part of users."""
    write_parts(folder)
    for part in range(2):
        rows = [{"video_id": f"v{part}{i}", "impressions": i} for i in range(count)]
        table = pa.Table.from_pylist(rows, schema=VIDEO_STATE_SCHEMA)
        pq.write_table(table, folder / "video_state" / f"part-{part}.parquet")
    finish_state(str(folder), 5, CONFIG, None)
    return folder


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def swap(folder):
    one, other = (folder / "video_state" / f"part-{i}.parquet" for i in range(2))
    first = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(first)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda state: (state / "video_state/part-1.parquet").unlink(),
            "video_state/part-1.parquet is missing",
        ),
        (
            lambda state: os.truncate(state / "video_state/part-1.parquet", 40),
            r"video_state/part-1\.parquet has 40 bytes instead of",
        ),
        (
            lambda state: os.truncate(state / "user_state/part-0.parquet", 0),
            r"user_state/part-0\.parquet has 0 bytes instead of",
        ),
        (
            lambda state: shutil.copy(
                state / "video_state/part-1.parquet",
                state / "video_state/part-1 (1).parquet",
            ),
            r"video_state/part-1 \(1\)\.parquet is not on the list",
        ),
        (
            lambda state: shutil.copytree(
                state / "video_state", state / "video_state/video_state"
            ),
            "video_state/video_state/part-0.parquet is not on the list",
        ),
        (
            lambda state: shutil.copy(
                state / "video_state/part-0.parquet",
                state / "user_state/part-0.parquet",
            ),
            r"user_state/part-0\.parquet has .* bytes instead of",
        ),
        (swap, r"part-0\.parquet has another content than when it was written"),
        (
            lambda state: flip_a_byte(state / "video_state/part-0.parquet"),
            r"part-0\.parquet has another content",
        ),
        (
            lambda state: shutil.rmtree(state / "video_state"),
            "video_state has no Parquet file; video_state/part-0.parquet is missing",
        ),
    ],
)
def test_a_state_with_a_part_that_is_not_its_own_is_refused(tmp_path, damage, message):
    state = write_rows(tmp_path / "state")
    open_state(str(state))
    damage(state)
    with pytest.raises(StateError, match=message):
        open_state(str(state))


def test_a_state_without_a_list_is_taken_with_a_warning(tmp_path):
    state = write_rows(tmp_path / "state")
    values = json.loads((state / "state.json").read_text())
    del values["files"]
    (state / "state.json").write_text(json.dumps(values))
    found = open_state(str(state))
    assert len(found.video_files) == 2
    assert "does not list its files" in found.warnings[0]
    (state / "video_state/part-1.parquet").write_bytes(b"PAR1")
    with pytest.raises(StateError, match=r"part-1\.parquet is no whole Parquet"):
        list(read_state(open_state(str(state)).video_files[1]))


@pytest.mark.parametrize("files", [[], {"a": 1}, {"a": {"rows": 1}}, "all"])
def test_a_list_that_is_none_is_named(state, files):
    values = json.loads((state / "state.json").read_text())
    (state / "state.json").write_text(json.dumps({**values, "files": files}))
    with pytest.raises(StateError, match=r"state\.json does not describe a state"):
        open_state(str(state))


def test_what_is_not_read_is_named(state):
    (state / "notes.txt").write_text("by hand")
    (state / "user_state" / "._part-0.parquet").write_text("of another system")
    warning = open_state(str(state)).warnings[0]
    assert warning.endswith("notes.txt, user_state/._part-0.parquet")


def test_a_folder_of_two_states_is_refused(tmp_path):
    write_rows(tmp_path)
    write_rows(tmp_path / "state")
    with pytest.raises(StateError, match="holds two states"):
        open_state(str(tmp_path))


def test_parts_may_be_links(tmp_path):
    state = write_rows(tmp_path / "state")
    (state / "video_state").rename(tmp_path / "elsewhere")
    (state / "video_state").symlink_to(tmp_path / "elsewhere")
    assert len(open_state(str(state)).video_files) == 2


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
