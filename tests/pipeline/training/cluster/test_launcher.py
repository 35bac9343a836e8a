"""What the launcher makes of the ends of its processes; these are small scripts."""

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import StrategyConfig
from pipeline.training.cluster import launcher, member_process
from pipeline.training.cluster.launcher import MemberError, train_in_cluster
from pipeline.training.cluster.membership import ClusterError

WORKERS = StrategyConfig(kind="multi_worker", local_workers=2)
SERVERS = StrategyConfig(kind="parameter_server", local_workers=2, local_servers=1)

MEMBER = """
    import json, os, signal, sys, threading, time
    task = json.loads(os.environ["TF_CONFIG"])["task"]
    name = f"{task['type']} {task['index']}"
    folder = sys.argv[1]
    open(os.path.join(folder, name), "w").write(" ".join(sys.argv[2:]))
    def end():
        while os.read(0, 1):
            pass
        os._exit(9)
    threading.Thread(target=end, daemon=True).start()
    def wait_for(*names):
        while not all(os.path.exists(os.path.join(folder, name)) for name in names):
            time.sleep(0.01)  # between two looks
    def stay():
        while True:
            signal.pause()  # until the launcher ends it
    if name == "chief 0":
        wait_for("worker 0")
"""


@pytest.fixture
def play(monkeypatch, tmp_path):
    """Runs members that follow a script, with `name` and `folder`; their names."""
    popen = subprocess.Popen

    def begin(script, strategy=WORKERS):
        text = textwrap.dedent(MEMBER) + textwrap.dedent(script)
        monkeypatch.setattr(
            member_process.subprocess,
            "Popen",
            lambda command, **options: popen(
                [sys.executable, "-c", text, str(tmp_path), *command[3:]], **options
            ),
        )
        arguments = FnArgs(
            train_files=["train-*"],
            eval_files=["eval-*"],
            transform_graph_path="graph",
            serving_model_dir="serving",
            model_run_dir="run",
            custom_config={"config": "{}", "checkpoint_dir": str(tmp_path / "ck")},
        )
        train_in_cluster(arguments, strategy)

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
    play("open(os.path.join(folder, name), 'a').write(open(sys.argv[2]).read())")
    texts = {(tmp_path / name).read_text() for name in ("chief 0", "worker 0")}
    assert len(texts) == 1
    job = json.loads(re.sub("^[^{]*", "", texts.pop()))
    assert job["train_files"] == ["train-*"]
    assert job["serving_model_dir"] == "serving"
    assert list((tmp_path / "ck" / "jobs").iterdir()) == []


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
        "the same command goes on from the last checkpoint"
    )
    assert time.monotonic() - began < 30


def test_the_error_of_a_member_is_its_last_line(play):
    with pytest.raises(MemberError, match="chief 0 ended with code 1: it is so"):
        play(
            """
            if name == "chief 0":
                sys.exit("a line\\nit is so")
            stay()
            """
        )


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
