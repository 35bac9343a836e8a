"""Whatever an earlier run left may be replaced, and nothing else."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from preprocessing.contract.config import FeatureConfig, SourceConfig
from preprocessing.engine.earlier_output import OutputFolderError, check_replaceable
from preprocessing.engine.write_table import write_feature_table
from tests.helpers import fake_store

CSV = SourceConfig(format="csv")
CONFIG = FeatureConfig(shards=2)
ENGINES = [
    pytest.param({"threads": 1}, id="threads"),
    pytest.param(
        {"beam_args": ["--direct_running_mode=in_memory"]},
        id="beam",
        marks=pytest.mark.e2e,
    ),
]


@pytest.fixture
def write(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user_id,video_id,event_time_ms\na,x,1\nb,y,2\na,y,3\n")

    def do(out, **engine):
        return write_feature_table(CSV, CONFIG, str(log), str(out), **engine)

    return do


def tree(folder):
    """Every file below a folder with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_is_not_ours_is_named_and_stays(write, tmp_path):
    for name in (
        "features/extract.py",
        "features/part-00000.csv",
        "features/2024/part-00000.parquet",
        "features/part-00000.parquet",
        "features",
        "state/notes.txt",
        "state/state.json",
        "state/user_state/part-0.parquet",
        "rejects/rejected.parquet",
        "rejects/.hidden",
        "summary.json",
        "_incomplete/draft.txt",
        "_incomplete/features/draft.parquet",
    ):
        out = tmp_path / name.replace("/", "-")
        (out / name).parent.mkdir(parents=True)
        (out / name).write_text('{"by": "hand"}')
        with pytest.raises(OutputFolderError, match=f"{name}: not made by an earlier"):
            write(out)
        assert tree(out) == {name: b'{"by": "hand"}'}


def test_a_name_of_two_lines_is_shown_in_one(write, tmp_path):
    (tmp_path / "out" / "features").mkdir(parents=True)
    (tmp_path / "out" / "features" / "é \n\x1b").touch()
    with pytest.raises(OutputFolderError, match=r"features/é \\n\\x1b: not made"):
        write(tmp_path / "out")


def test_a_folder_where_a_file_goes_is_in_the_way(write, tmp_path):
    (tmp_path / "out" / "summary.json").mkdir(parents=True)
    (tmp_path / "out" / "summary.json" / "one").touch()
    with pytest.raises(OutputFolderError, match=r"summary\.json: not made by"):
        write(tmp_path / "out")


def test_a_table_of_another_tool_under_our_name_is_not_ours(write, tmp_path):
    for folder in ("features", "rejects", "state/user_state", "state/video_state"):
        path = tmp_path / "out" / folder / "part-00000.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table({"user_id": ["a"], "video_id": ["x"]}), path)
    with pytest.raises(OutputFolderError, match=r"part-00000.parquet and 1 more: not"):
        write(tmp_path / "out")


def test_other_files_beside_the_output_do_not_matter(write, tmp_path):
    out = tmp_path / "out"
    (out / "feature").mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    (out / "features").mkdir()  # and nothing is in it
    write(out)
    write(out)
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "lost", [(), ("summary.json",), ("summary.json", "state/state.json")]
)
def test_an_earlier_output_is_replaced_whole_or_not(write, tmp_path, engine, lost):
    out = tmp_path / "out"
    write(out, **engine)
    for name in lost:
        (out / name).unlink()
    write(out)
    assert json.loads((out / "summary.json").read_text())["examples"] == 3


def test_an_output_of_an_earlier_release_is_replaced(write, tmp_path):
    out = tmp_path / "out"
    write(out)
    summary = json.loads((out / "summary.json").read_text())
    assert summary.pop("files") == [name for name in tree(out) if "/" in name]
    (out / "summary.json").write_text(json.dumps(summary))
    write(out)


@pytest.mark.parametrize("listed", [None, 5, {}])
def test_a_summary_with_no_list_of_files_is_as_good_as_an_old_one(
    write, tmp_path, listed
):
    out = tmp_path / "out"
    write(out)
    summary = json.loads((out / "summary.json").read_text())
    (out / "summary.json").write_text(json.dumps({**summary, "files": listed}))
    write(out)


def test_a_file_of_ours_may_be_broken_or_gone(write, tmp_path):
    out = tmp_path / "out"
    write(out)
    (out / "features" / "part-00000.parquet").write_bytes(b"PAR1")
    (out / "rejects" / "part-00000.parquet").unlink()
    write(out)
    assert pq.read_table(out / "features").num_rows == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_put_into_the_output_is_named_and_stays(write, tmp_path, engine):
    out = tmp_path / "out"
    write(out, **engine)
    ours = (out / "features").glob("part-*")
    (out / "features" / "part-00077.parquet").write_bytes(next(ours).read_bytes())
    before = tree(out)
    with pytest.raises(OutputFolderError, match=r"part-00077\.parquet: not"):
        write(out, **engine)
    assert tree(out) == before


def test_a_file_put_there_during_the_run_stays(write, tmp_path):
    out = tmp_path / "out"
    write(out)

    def put(step, done, parts):
        (out / "features" / "notes.txt").write_text("mine")

    with pytest.raises(OutputFolderError, match=r"features/notes\.txt: not made"):
        write(out, progress=put)
    (out / "features" / "notes.txt").unlink()
    write(out)


@pytest.mark.parametrize("name", ["features", "state", "summary.json", "_incomplete"])
def test_a_link_stays(write, tmp_path, name):
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    write(elsewhere)
    (elsewhere / "_incomplete").mkdir()
    out.mkdir()
    (out / name).symlink_to(elsewhere / name)
    with pytest.raises(OutputFolderError, match=f"{name}: not made by"):
        write(out)
    assert os.path.islink(out / name)


@pytest.mark.parametrize(
    "name",
    [
        "features/part-00000.parquet",
        "features/part-00003-of-00004.parquet",
        "features/beam-temp-part-0a1b/0c2d.part.parquet",
        "rejects/part-00000.parquet",
        "rejects/rejects-00000-of-00001.parquet",
        "rejects/summary.json",
        "rejects/beam-temp-summary.json-0a1b/0c2d.summary.json",
        "state/state.json",
        "state/user_state/beam-temp-part-0a1b/0c2d.part.parquet",
        "state/video_state/part-00000.parquet",
        "tmpab_12cd3/by-user/00001.arrows",
    ],
)
def test_what_a_killed_run_left_half_written_is_cleared_away(write, tmp_path, name):
    place = tmp_path / "out" / "_incomplete" / name
    place.parent.mkdir(parents=True)
    place.write_bytes(b"PAR1")
    write(tmp_path / "out")
    assert not (tmp_path / "out" / "_incomplete").exists()


def test_an_object_store_is_looked_at_too(write, tmp_path):
    fake_store.FILES.clear()
    fake_store.FILES["fake://b/out/features/extract.py"] = b"by hand"
    before = dict(fake_store.FILES)
    with pytest.raises(OutputFolderError, match=r"fake://b/out/features/extract\.py"):
        write("fake://b/out")
    assert before == fake_store.FILES
    fake_store.FILES.clear()
    write("fake://b/out")
    del fake_store.FILES["fake://b/out/summary.json"]
    write("fake://b/out")
    check_replaceable("fake://b/out")
    fake_store.FILES["fake://b/out/state/notes.txt"] = b"by hand"
    with pytest.raises(OutputFolderError, match=r"state/notes\.txt"):
        check_replaceable("fake://b/out")
