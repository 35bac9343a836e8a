import os
import platform

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.main import main
from preprocessing.storage.folder_lock import hold_folder


def invoke(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def demo_config(pytestconfig):
    return pytestconfig.rootpath / "configs" / "demo.yaml"


def write_log(folder, **columns):
    folder.mkdir()
    pq.write_table(pa.table(columns), folder / "log.parquet")
    return folder


def test_a_bad_configuration_is_explained_without_a_traceback(demo_config, tmp_path):
    result = invoke(
        "run", "--config", demo_config, "--data", tmp_path, "--set", "training.epoch=3"
    )
    assert result.exit_code == 1
    assert "did you mean 'epochs'?" in result.output
    assert "Traceback" not in result.output


def test_a_data_folder_without_a_log_is_named_at_once(demo_config, tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        result = invoke("run", "--config", demo_config, "--data", folder)
        assert result.exit_code == 1
        assert str(folder) in result.output


def test_a_log_without_a_required_column_is_refused_by_name(demo_config, tmp_path):
    folder = write_log(tmp_path / "log", user_id=["u"], event_time_ms=[1])
    result = invoke("run", "--config", demo_config, "--data", folder)
    assert result.exit_code == 1
    assert "log.parquet" in result.output
    assert "video_id" in result.output


def test_a_column_of_an_unusable_type_is_refused_by_name(demo_config, tmp_path):
    folder = write_log(
        tmp_path / "log",
        user_id=["u"],
        video_id=["v"],
        event_time_ms=[["not a time"]],
        play_time_ms=[1],
        video_duration_ms=[1],
        is_like=[0],
        is_follow=[0],
        user_country=["c"],
    )
    result = invoke("run", "--config", demo_config, "--data", folder)
    assert result.exit_code == 1
    assert "event_time_ms" in result.output


def test_a_uri_is_refused_with_what_takes_one(demo_config):
    result = invoke("run", "--config", demo_config, "--data", "gs://bucket/log")
    assert result.exit_code == 1
    assert "take other URIs, too. Received: --data gs://bucket/log" in " ".join(
        result.output.split()
    )


def test_an_empty_out_is_not_the_default(demo_config, tmp_path):
    result = invoke("run", "--config", demo_config, "--data", tmp_path, "--out", "")
    assert result.exit_code == 2
    assert "Invalid value for '--out': it is empty" in result.output


def test_a_folder_in_use_is_refused_at_once(demo_config, tmp_path):
    log = tmp_path / "log"
    invoke("simulate", "--users", 100, "--days", 2, "--out", log)
    with hold_folder(tmp_path / "out", "poso run"):
        for command in (
            ("run", "--config", demo_config, "--data", log),
            ("demo", "--config", demo_config, "--users", 100),
        ):
            result = invoke(*command, "--out", tmp_path / "out")
            assert result.exit_code == os.EX_TEMPFAIL
            [line] = result.output.splitlines()
            holder = f"poso run (process {os.getpid()} on {platform.node()})"
            assert f"{tmp_path / 'out'} is in use by {holder}: wait until" in line


def test_files_of_the_users_own_are_not_replaced(demo_config, tmp_path):
    log = tmp_path / "log"
    invoke("simulate", "--users", 100, "--days", 2, "--out", log)
    for command, name in (
        (("run", "--config", demo_config, "--data", log), "rejects/notes.txt"),
        (("run", "--config", demo_config, "--data", log), "pipeline/model.py"),
        (("demo", "--config", demo_config), "serving/models.config"),
        (("demo", "--config", demo_config), "log/notes.txt"),
    ):
        out = tmp_path / name.replace("/", "-")
        (out / name).parent.mkdir(parents=True)
        (out / name).write_text("by hand")
        result = invoke(*command, "--out", out)
        assert result.exit_code == 1
        assert name.split("/")[0] in result.output
        assert len(result.output.splitlines()) == 1
        assert [path for path in out.rglob("*") if path.is_file()] == [out / name]


@pytest.mark.parametrize("out", ["log", "log/out", "link/out"])
def test_a_run_in_its_own_log_is_refused(demo_config, tmp_path, out):
    log = tmp_path / "log"
    invoke("simulate", "--users", 100, "--days", 2, "--out", log)
    (tmp_path / "link").symlink_to(log)
    result = invoke(
        "run", "--config", demo_config, "--data", log, "--out", tmp_path / out
    )
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert f"--out {tmp_path / out}" in line
    assert f"--data {log}" in line


@pytest.mark.parametrize("kind", ["multi_worker", "parameter_server"])
def test_machines_of_a_cluster_share_no_folder_of_a_store(demo_config, tmp_path, kind):
    arguments = ["run", "--config", demo_config, "--data", tmp_path]
    arguments += ["--out", "s3://bucket/run"]
    result = invoke(*arguments, "--set", f"training.strategy.kind={kind}")
    assert result.exit_code == 1
    [line] = result.output.splitlines()
    assert "--out in a folder that all of them share" in line
    assert line.endswith("Received: s3://bucket/run")
