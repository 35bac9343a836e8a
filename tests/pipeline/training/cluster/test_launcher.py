"""What the launcher makes of the ends of its processes; these are small scripts."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pipeline.config import StrategyConfig
from pipeline.training.cluster import launcher, member_process
from pipeline.training.cluster.launcher import MemberError
from pipeline.training.cluster.membership import ClusterError
from pipeline.training.loop.stop_signal import RESUME
from tests.helpers import played_members
from tests.helpers.played_members import WORKERS
from tests.helpers.waiting import wait_until

SERVERS = StrategyConfig(kind="parameter_server", local_workers=2, local_servers=1)


@pytest.fixture
def play(monkeypatch, tmp_path):
    """Runs members that follow a script, with `name` and `folder`; their names."""

    def begin(script, strategy=WORKERS):
        played_members.play(monkeypatch, script, tmp_path, strategy)

    return begin


@pytest.fixture
def lines(monkeypatch, tmp_path):
    """What was said; the first line leaves a file for the members."""
    said = []

    def say(line):
        said.append(line)
        (tmp_path / "said").touch()

    monkeypatch.setattr(member_process, "report_progress", say)
    monkeypatch.setattr(launcher, "report_progress", say)
    return said


def test_it_returns_when_the_chief_is_done_and_tells_its_progress(
    play, lines, tmp_path
):
    play("print('from', name)")
    assert lines == ["from chief 0"]
    started = [path.name for path in tmp_path.iterdir() if path.is_file()]
    assert sorted(started) == ["chief 0", "said", "worker 0"]


def test_all_members_get_the_job_and_nothing_is_left_of_it(play, tmp_path):
    play(
        """
        with open(os.path.join(folder, f"job of {name}"), "w") as file:
            file.write(open(sys.argv[2]).read())
        """
    )
    names = ("chief 0", "worker 0")
    [text] = {(tmp_path / f"job of {name}").read_text() for name in names}
    job = json.loads(text)
    assert job["train_files"] == ["train-*"]
    assert job["serving_model_dir"] == "serving"
    [path] = {(tmp_path / name).read_text() for name in names}
    assert not os.path.exists(path)
    assert not (tmp_path / "ck").exists()  # where other machines would find it


def test_other_machines_find_the_job_and_none_of_a_killed_run(
    play, tmp_path, monkeypatch
):
    jobs = tmp_path / "ck" / "jobs"
    jobs.mkdir(parents=True)
    (jobs / "killed.json").write_text("{}")
    cluster = {"cluster": {"chief": ["a:1"], "worker": ["b:1"]}}
    task = {"task": {"type": "chief", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster | task))
    (tmp_path / "worker 0").touch()
    found = "open(os.path.join(folder, 'found'), 'w').write"
    play(
        f"{found}(' '.join(os.listdir(os.path.dirname(sys.argv[2]))))",
        StrategyConfig(kind="multi_worker"),
    )
    job = (tmp_path / "chief 0").read_text()
    assert (tmp_path / "found").read_text() == os.path.basename(job)
    assert os.path.dirname(job) == str(jobs)
    assert list(jobs.iterdir()) == []


@pytest.mark.parametrize(
    ("strategy", "seen"),
    [(WORKERS, "-1"), (StrategyConfig(kind="multi_worker"), "0,1")],
)
def test_members_that_share_a_machine_leave_its_gpus_alone(
    play, lines, tmp_path, monkeypatch, strategy, seen
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    cluster = {"cluster": {"chief": ["a:1"], "worker": ["b:1"]}}
    task = {"task": {"type": "chief", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster | task))
    (tmp_path / "worker 0").touch()
    play("print(os.environ['CUDA_VISIBLE_DEVICES'])", strategy)
    assert lines == [seen]


def test_members_that_were_started_end_where_another_cannot_be(
    play, tmp_path, monkeypatch
):
    started = []

    class Second(member_process.MemberProcess):
        def __init__(self, *arguments):
            if started:
                raise OSError("out of processes")
            super().__init__(*arguments)
            started.append(self)

    monkeypatch.setattr(launcher, "MemberProcess", Second)
    with pytest.raises(OSError, match="out of processes"):
        play("stay()")
    assert started[0].ended is not None


def test_a_killed_worker_ends_the_training_with_a_line_on_it(play):
    began = time.monotonic()
    with pytest.raises(MemberError) as caught:
        play(
            """
            if name == "worker 0":
                os.kill(os.getpid(), signal.SIGKILL)
            stay()
            """
        )
    assert str(caught.value) == (
        "worker 0 was killed by signal 9\n"
        "run the same command again to resume from the last checkpoint"
    )
    assert time.monotonic() - began < 30


def test_the_error_of_a_member_is_its_last_line(play):
    with pytest.raises(MemberError) as caught:
        play(
            """
            if name == "chief 0":
                sys.exit("a line\\nit is so")
            stay()
            """
        )
    assert str(caught.value) == "chief 0 ended with code 1: it is so"


def test_a_member_that_was_asked_to_end_is_not_an_error_of_its_own(play):
    with pytest.raises(MemberError) as caught:
        play("sys.exit(128 + signal.SIGTERM)")
    lines = str(caught.value).splitlines()
    assert lines[0].endswith(" 0 was stopped by signal 15")
    assert lines[1:] == [RESUME]


def test_without_one_of_its_workers_a_coordinator_goes_on(play, lines):
    play(
        """
        if name == "worker 1":
            os.kill(os.getpid(), signal.SIGKILL)
        if name != "chief 0":
            stay()
        wait_for("said")
        """,
        SERVERS,
    )
    assert lines == [
        "worker 1 was killed by signal 9; the training goes on with 1 worker"
    ]


@pytest.mark.parametrize("lost", [["ps 0"], ["worker 0", "worker 1"]])
def test_without_a_server_or_any_worker_a_coordinator_cannot_go_on(play, lines, lost):
    with pytest.raises(MemberError, match=f"{lost[0][:-1]}. was killed"):
        play(
            f"""
            if name in {lost}:
                os.kill(os.getpid(), signal.SIGKILL)
            stay()
            """,
            SERVERS,
        )


def test_no_process_is_left_behind(play, tmp_path):
    play(
        """
        path = os.path.join(folder, f"pid of {name}")
        open(f"{path}.part", "w").write(str(os.getpid()))
        os.rename(f"{path}.part", path)
        if name != "chief 0":
            stay()
        wait_for("pid of worker 0", "pid of worker 1", "pid of ps 0")
        """,
        SERVERS,
    )
    for name in ("worker 0", "worker 1", "ps 0"):
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / f"pid of {name}").read_text()), 0)


def test_a_signal_is_passed_on_so_that_the_chief_saves(play, tmp_path):
    with pytest.raises(SystemExit) as caught:
        play(
            f"""
            if name == "chief 0":
                def save(*_):
                    open(os.path.join(folder, "saved"), "w")
                    sys.exit(143)
                signal.signal(signal.SIGTERM, save)
                os.kill({os.getpid()}, signal.SIGTERM)
            stay()
            """
        )
    assert caught.value.code == 128 + signal.SIGTERM
    assert (tmp_path / "saved").exists()


def test_ctrl_c_lets_the_chief_save(tmp_path, pytestconfig):
    script = """
        sys.path.insert(0, os.getcwd())
        from pipeline.training.loop.stop_signal import StopSignal
        with StopSignal() as stop, stop.held_back():
            open(os.path.join(folder, f"{name} trains"), "w")
            while stop.received is None:
                time.sleep(0.01)  # between two looks, as the steps of a training are
            time.sleep(0.5)  # a further signal, which must not come, would end it here
            open(os.path.join(folder, f"{name} saved"), "w")
            stop.leave()
    """
    command = [sys.executable, "-m", "tests.helpers.played_members", str(tmp_path)]
    with subprocess.Popen(
        [*command, script], cwd=pytestconfig.rootpath, start_new_session=True
    ) as run:
        names = ("chief 0", "worker 0")
        wait_until(
            lambda: all((tmp_path / f"{name} trains").exists() for name in names), 300
        )
        os.killpg(run.pid, signal.SIGINT)
    assert run.returncode == -signal.SIGINT
    assert (tmp_path / "chief 0 saved").exists()


def test_the_pipelines_process_must_be_the_chief(play, monkeypatch):
    cluster = {"cluster": {"chief": ["a:1"], "worker": ["b:1"]}}
    config = StrategyConfig(kind="multi_worker")
    task = {"task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster | task))
    with pytest.raises(ClusterError, match="train-worker"):
        play("", config)
    task = {"task": {"type": "chief", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster | task))
    with pytest.raises(ClusterError, match="'parameter_server' needs a cluster with"):
        play("", StrategyConfig(kind="parameter_server"))
