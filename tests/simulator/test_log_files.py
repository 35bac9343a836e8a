from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulator import LogFolderError, SimulatorConfig, check_log_folder, simulate
from simulator.config import DAY_MS
from simulator.log_files import write_log

SMALL = SimulatorConfig(users=300, videos=200, authors=20, days=3)


@pytest.fixture(scope="module")
def short_log():
    return simulate(replace(SMALL, days=1))


def test_the_seed_decides_every_byte(tmp_path):
    def written(config, folder):
        files = write_log(simulate(config), tmp_path / folder)
        return {file.name: file.read_bytes() for file in files}

    first = written(SMALL, "first")
    assert list(first) == [f"impressions-2024-03-0{day}.parquet" for day in (4, 5, 6)]
    assert written(SMALL, "again") == first
    assert written(replace(SMALL, seed=18), "other") != first


@pytest.mark.parametrize("corrupt_share", [0.0, 0.05])
def test_the_files_hold_every_row_on_its_day(tmp_path, corrupt_share):
    log = simulate(replace(SMALL, corrupt_share=corrupt_share))
    tables = [pq.read_table(file) for file in write_log(log, tmp_path)]
    assert pa.concat_tables(tables).equals(log)
    for day, table in enumerate(tables):
        times = table["event_time_ms"].drop_null().to_numpy()
        assert set((times - SMALL.start_ms) // DAY_MS) == {day}


def test_an_earlier_log_is_replaced_whole(tmp_path, short_log):
    write_log(simulate(SMALL), tmp_path)
    (tmp_path / ".hidden").touch()
    write_log(short_log, tmp_path)
    assert pq.read_table(tmp_path).equals(short_log)
    assert {path.name for path in tmp_path.iterdir()} == {
        "impressions-2024-03-04.parquet",
        ".hidden",
    }


def test_what_a_killed_run_left_is_cleared_away(tmp_path, short_log):
    (tmp_path / "_unfinished").mkdir()
    (tmp_path / "_unfinished" / "impressions-2024-03-09.parquet").write_bytes(b"PAR1")
    write_log(short_log, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [
        "impressions-2024-03-04.parquet"
    ]


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "other.parquet",
        "impressions-2024-03-04.csv",
        "impressions-2024-03-04.parquet",  # of another tool
        "sub/impressions-2024-03-04.parquet",
        "_unfinished/notes.txt",
    ],
)
def test_what_is_no_simulated_log_is_named_and_stays(tmp_path, short_log, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    pq.write_table(short_log.append_column("mine", [[1] * len(short_log)]), path)
    before = path.read_bytes()
    with pytest.raises(LogFolderError, match=f"{name.split('/')[-1]}|sub"):
        write_log(short_log, tmp_path)
    assert path.read_bytes() == before
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


def test_a_link_to_a_log_stays(tmp_path, short_log):
    write_log(short_log, tmp_path / "there")
    (tmp_path / "here").mkdir()
    name = "impressions-2024-03-04.parquet"
    (tmp_path / "here" / name).symlink_to(tmp_path / "there" / name)
    with pytest.raises(LogFolderError, match="no file of a simulated log"):
        check_log_folder(tmp_path / "here")
