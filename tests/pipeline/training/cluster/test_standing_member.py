"""A worker that waits for trainings; those are small scripts here."""

import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.pipeline import create_pipeline
from pipeline.training.cluster import member_process, standing_member
from pipeline.training.cluster.job import Job, jobs_folder, waiting_jobs
from pipeline.training.cluster.member_process import MemberError
from pipeline.training.cluster.membership import Member
from pipeline.training.cluster.standing_member import CHECKPOINTS, StandingMember
from tests.helpers.small_transform import settings_with


def worker_of(chief):
    return Member({"chief": (chief,), "worker": ("127.0.0.1:2",)}, "worker", 0)


@pytest.fixture
def worker():
    """One whose chief answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield worker_of(f"127.0.0.1:{listening.getsockname()[1]}")


def job(root):
    """One whose checkpoints lie below a folder."""
    return Job.of(
        FnArgs(
            train_files=["train-*"],
            eval_files=["eval-*"],
            transform_graph_path="graph",
            serving_model_dir="serving",
            model_run_dir="run",
            custom_config={"config": "{}", "checkpoint_dir": str(root / CHECKPOINTS)},
        )
    )


def write_job(root):
    return job(root).write(jobs_folder(str(root / CHECKPOINTS)))


@pytest.fixture
def play(monkeypatch):
    """Runs a script as every process of the member."""
    popen = subprocess.Popen
    monkeypatch.setattr(standing_member, "_LOOK_EVERY_S", 0.05)

    def begin(script, member, root, wait_s):
        text = "import os, signal, sys\n" + textwrap.dedent(script)
        monkeypatch.setattr(
            member_process.subprocess,
            "Popen",
            lambda command, **options: popen(
                [sys.executable, "-c", text, *command[-1:]], **options
            ),
        )
        lines = []
        StandingMember(member, str(root), wait_s, lines.append).run()
        return lines

    return begin


def test_a_job_is_read_as_it_was_written(tmp_path):
    written = job(tmp_path)
    path = written.write(str(tmp_path))
    assert waiting_jobs(str(tmp_path)) == [path]
    assert Job.read(path) == written
    assert Job.read(path).fn_args().eval_files == ["eval-*"]
    assert job(tmp_path).identifier != written.identifier


def test_the_pipelines_trainer_writes_its_jobs_where_a_worker_looks():
    pipeline = create_pipeline(
        settings_with(),
        data_dir="log",
        pipeline_root="root",
        serving_dir="serving",
        rejects_dir="rejects",
    )
    [trainer] = [part for part in pipeline.components if part.id == "Trainer"]
    custom = trainer.exec_properties["custom_config"]
    assert f'"checkpoint_dir": "root/{CHECKPOINTS}"' in custom


def test_a_worker_takes_part_in_each_training_once(play, worker, tmp_path):
    for _ in range(2):
        write_job(tmp_path)
    lines = play("assert os.path.exists(sys.argv[1])", worker, tmp_path, 1.0)
    assert lines == ["worker 0: training", "worker 0: done"] * 2


def test_a_worker_whose_training_failed_waits_for_the_next(play, worker, tmp_path):
    first, second = write_job(tmp_path), write_job(tmp_path)
    script = f"sys.exit('so' if sys.argv[1] == {min(first, second)!r} else 0)"
    lines = play(script, worker, tmp_path, 1.0)
    assert lines == [
        "worker 0: training",
        "worker 0 ended with code 1: so",
        "worker 0: training",
        "worker 0: done",
    ]


def test_a_training_that_its_chief_gave_up_is_left(play, worker, tmp_path, monkeypatch):
    monkeypatch.setattr(standing_member, "_TO_END_S", 0.2)
    write_job(tmp_path)
    script = "os.remove(sys.argv[1])\nsignal.pause()"
    began = time.monotonic()
    lines = play(script, worker, tmp_path, 0.5)
    assert lines[0] == "worker 0: training"
    assert "signal" in lines[1]
    assert time.monotonic() - began < 30


def test_a_job_whose_chief_is_gone_is_left(play, tmp_path):
    write_job(tmp_path)
    assert play("", worker_of("127.0.0.1:1"), tmp_path, 0.5) == []


def test_a_server_that_ends_by_itself_is_an_error(play, tmp_path):
    cluster = {"chief": ("127.0.0.1:1",), "worker": ("a:1",), "ps": ("a:2",)}
    with pytest.raises(MemberError, match="ps 0 ended with code 1: in use"):
        play("sys.exit('in use')", Member(cluster, "ps", 0), tmp_path, 60.0)


def test_a_server_ends_when_there_is_no_coordinator_for_long_enough(play, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        cluster = {"chief": (address,), "worker": ("a:1",), "ps": ("a:2",)}
        gone = threading.Timer(2.0, listening.close)
        gone.start()
        began = time.monotonic()
        lines = play("os.read(0, 1)", Member(cluster, "ps", 0), tmp_path, 0.5)
        gone.join()
    assert lines == []
    assert 2.0 < time.monotonic() - began < 30
