import json

import pytest
from click.testing import CliRunner

from cli.train_worker_command import command
from pipeline.training.cluster import standing_member
from pipeline.training.cluster.member_process import MemberError
from pipeline.training.cluster.membership import Member

ADDRESSES = ["--chief", "a:1", "--worker", "b:2", "--worker", "c:3"]


@pytest.fixture
def started(monkeypatch):
    """What a standing member was made with."""
    made = []

    class Standing:
        def __init__(self, *arguments):
            made.append(arguments[:3])

        def run(self):
            made.append("run")

    monkeypatch.setattr(standing_member, "StandingMember", Standing)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    return made


def test_a_worker_is_told_by_options(started):
    options = [*ADDRESSES, "--task", "worker:1", "--pipeline-root", "root"]
    result = CliRunner().invoke(command, [*options, "--wait-minutes", "2"])
    assert result.exit_code == 0, result.output
    member = Member({"chief": ("a:1",), "worker": ("b:2", "c:3")}, "worker", 1)
    assert started == [(member, "root", 120.0), "run"]
    assert result.output == "worker 1: waiting for a training of a:1\n"


def test_a_server_is_told_by_the_environment_and_needs_no_folder(started, monkeypatch):
    cluster = {"chief": ["a:1"], "worker": ["b:2"], "ps": ["d:4"]}
    task = {"type": "ps", "index": 0}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    assert CliRunner().invoke(command, []).exit_code == 0
    assert started[0][0] == Member({k: tuple(v) for k, v in cluster.items()}, "ps", 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "TF_CONFIG"),
        (ADDRESSES, "give --task"),
        (["--worker", "b:2", "--task", "worker:0"], "give --chief"),
        ([*ADDRESSES, "--task", "worker"], "like worker:0"),
        ([*ADDRESSES, "--task", "worker:²"], "like worker:0"),
        (
            ["--chief", "a", "--worker", "b:2", "--task", "worker:0"],
            "chief must be HOST:PORT. Received: a",
        ),
        ([*ADDRESSES, "--task", "worker:2"], "no task worker 2"),
        ([*ADDRESSES, "--task", "worker:0"], "give --pipeline-root"),
        (
            [*ADDRESSES, "--task", "chief:0", "--pipeline-root", "r"],
            "the chief is `poso run`",
        ),
    ],
)
def test_a_member_that_cannot_be_is_refused_in_a_line(started, options, message):
    result = CliRunner().invoke(command, options)
    assert result.exit_code == 1
    assert message in result.output
    assert result.output.count("\n") == 1
    assert started == []


def test_a_server_that_ends_by_itself_is_an_error_in_a_line(started, monkeypatch):
    def run(_):
        raise MemberError("ps 0 ended with code 1: the port is in use")

    monkeypatch.setattr(standing_member.StandingMember, "run", run)
    servers = ["--server", "d:4", "--task", "ps:0"]
    result = CliRunner().invoke(command, [*ADDRESSES, *servers])
    assert result.exit_code == 1
    assert result.output.splitlines()[1:] == [
        "Error: ps 0 ended with code 1: the port is in use"
    ]
