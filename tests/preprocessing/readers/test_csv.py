import json

import pytest
from hypothesis import given

from preprocessing.checks.counts import EmptyLogError
from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.in_memory import compute_feature_table
from preprocessing.storage.files import SourceError
from tests.helpers.log_rows import LABELS, features_of, in_order, logs

SOURCE = SourceConfig(format="csv")
CONFIG = FeatureConfig(max_reject_rate=1.0)
HEADER = "user_id,video_id,event_time_ms"
DAY = 1_651_399_200_000  # 2022-05-01 10:00 UTC


def build(folder, config=CONFIG):
    return compute_feature_table(SOURCE, config, str(folder))


def write(folder, *lines, name="log.csv"):
    (folder / name).write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return folder


@given(log=logs.filter(len))
def test_equals_the_same_log_in_memory(tmp_path_factory, log):
    config = FeatureConfig(labels=LABELS)
    log = [{**row, "video_tags": ["s"] if row["video_tags"] else []} for row in log]
    names = list(log[0])
    lines = [",".join(names)]
    for row in log:
        cells = [row[name] for name in names]
        texts = ["".join(c) if isinstance(c, list) else c for c in cells]
        lines.append(",".join("" if c is None else str(c) for c in texts))
    folder = tmp_path_factory.mktemp("csv")
    (folder / "log.csv").write_text("\n".join(lines), encoding="utf-8")
    table = build(folder, config)
    features, repeated = features_of(log, config)
    assert in_order(table.features.to_pylist()) == features
    assert table.rejects.num_rows == len(repeated)


def test_bad_cells_and_bad_lines_cost_a_row_each(tmp_path):
    write(tmp_path, "a,x,5", "a,x,soon", "a,x", "b,y,6,7", "b,y,6")
    table = build(tmp_path)
    assert table.rows_in == 5
    assert table.features.num_rows == 2
    assert table.summary.by_reason == {
        "the line has another number of cells than the header": 2,
        "event_time_ms is not a number": 1,
    }
    lines = [json.loads(row).get("line") for row in table.rejects["row"].to_pylist()]
    assert {"a,x", "b,y,6,7"} <= set(lines)


def test_a_bad_last_line_is_counted(tmp_path):
    write(tmp_path, "a,x,5", "b")
    assert build(tmp_path).rows_in == 2


def test_lists_are_quoted_cells(tmp_path):
    (tmp_path / "log.csv").write_text(f'{HEADER},video_tags\na,x,5,"20, 43"\n')
    assert build(tmp_path).features["video_tags"].to_pylist() == [["20", "43"]]


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path):
    (tmp_path / "log.csv").write_text(f"{HEADER}\na,x,5\n", encoding="utf-8-sig")
    assert build(tmp_path).features.num_rows == 1


def test_every_file_counts(tmp_path):
    write(tmp_path, "a,x,5")
    write(tmp_path, "a,x,5", "a,x,6", name="more.csv")
    table = build(tmp_path)
    assert (table.rows_in, table.features.num_rows) == (3, 2)
    assert table.rejects["source"].to_pylist() == ["more.csv"]


def test_a_missing_column_is_named(tmp_path):
    write(tmp_path, "a,x,5")
    config = FeatureConfig(labels={"like": {"column": "is_like"}})
    with pytest.raises(SourceError, match=r"log.csv: column 'is_like' is missing"):
        build(tmp_path, config)


def test_a_file_without_a_header_is_named(tmp_path):
    (tmp_path / "log.csv").write_text("")
    with pytest.raises(SourceError, match=r"log\.csv is empty: expected a header"):
        build(tmp_path)


def test_a_header_alone_is_an_empty_log(tmp_path):
    with pytest.raises(EmptyLogError, match="has no rows"):
        build(write(tmp_path))


@pytest.mark.parametrize("mark", SOURCE.null_values)
def test_a_null_mark_of_another_tool_is_no_user(tmp_path, mark):
    write(
        tmp_path,
        f"{mark},v,{DAY}",
        f"u,{mark},{DAY}",
        f"u,v,{DAY}",
        f"u {mark},v,{DAY}",
    )
    table = build(tmp_path)
    assert sorted(table.features["user_id"].to_pylist()) == ["u", f"u {mark}"]
    reasons = sorted(table.rejects["reason"].to_pylist())
    assert reasons == ["user_id is missing", "video_id is missing"]


def test_null_marks_are_those_that_the_configuration_names(tmp_path):
    write(tmp_path, f"nan,v,{DAY}", f"-,v,{DAY}")
    source = SourceConfig(format="csv", null_values=["-"])
    table = compute_feature_table(source, CONFIG, str(tmp_path))
    assert table.features["user_id"].to_pylist() == ["nan"]


def test_words_and_notations_of_other_tools_are_read(tmp_path):
    header = "user_id,video_id,event_time_ms,is_like,video_tags"
    rows = [
        f"""a,v,{DAY},True,"['x', 'y']\"""",
        """b,v,2022-05-01 10:00:00,false,"[""x"", ""y""]\"""",
        """c,v,1.6513992E+12,1.0,"x,y\"""",
    ]
    (tmp_path / "log.csv").write_text("\n".join([header, *rows]) + "\n")
    config = FeatureConfig(labels={"like": {"column": "is_like"}})
    features = build(tmp_path, config).features.sort_by("user_id")
    assert features["like"].to_pylist() == [1, 0, 1]
    assert features["video_tags"].to_pylist() == [["x", "y"]] * 3
    assert features["event_time_ms"].to_pylist() == [DAY] * 3


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("user_id;video_id;event_time_ms", "one column with semicolons"),
        ("user_id\tvideo_id\tevent_time_ms", "one column with tabs"),
        ("user_id|video_id|event_time_ms", "one column with vertical bars"),
    ],
)
def test_another_delimiter_is_named(tmp_path, header, message):
    (tmp_path / "log.csv").write_text(header + "\n")
    with pytest.raises(SourceError, match=message):
        build(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_named(tmp_path, encoding):
    (tmp_path / "log.csv").write_text(f"{HEADER}\na,v,1\n", encoding=encoding)
    with pytest.raises(SourceError, match="Expected UTF-8 text"):
        build(tmp_path)
