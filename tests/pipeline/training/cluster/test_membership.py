import json
import socket

import pytest

from pipeline.training.cluster.membership import ClusterError, Member, local_cluster

CLUSTER = {"chief": ("a:1",), "worker": ("b:2", "c:3"), "ps": ("d:4",)}


def test_a_member_is_read_from_the_environment_and_written_the_same(monkeypatch):
    text = json.dumps(
        {
            "cluster": {name: list(at) for name, at in CLUSTER.items()},
            "task": {"type": "worker", "index": 1},
        }
    )
    monkeypatch.setenv("TF_CONFIG", text)
    member = Member.from_environment()
    assert member == Member(CLUSTER, "worker", 1)
    assert json.loads(member.tf_config) == json.loads(text)
    assert str(member) == "worker 1"
    assert member.chief_address == "a:1"
    assert member.has_servers
    assert member.serves
    assert not member.is_chief


def test_without_a_chief_the_first_worker_writes():
    workers = {"worker": ("b:2", "c:3")}
    assert Member(workers, "worker", 0).is_chief
    assert not Member(workers, "worker", 1).is_chief
    assert Member(workers, "worker", 1).chief_address == "b:2"
    assert not Member(CLUSTER, "worker", 0).is_chief
    assert Member(CLUSTER, "chief", 0).is_chief
    assert not Member(CLUSTER, "chief", 0).serves
    assert not Member(workers, "worker", 1).serves


def test_a_missing_cluster_says_what_to_set(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ClusterError, match=r"TF_CONFIG.*local_workers"):
        Member.from_environment()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"cluster": {"worker": ["a:1"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker"}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps", "index": 0}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": "x"}}',
        '{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": [1]}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"other": ["a:1"]}, "task": {"type": "other", "index": 0}}',
    ],
)
def test_a_cluster_that_cannot_be_used_is_shown(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ClusterError, match="Received"):
        Member.from_environment()


@pytest.mark.parametrize("address", ["a", "a:", ":1", "a:b", "a:0", "a:65536", ""])
def test_an_address_without_host_or_port_is_shown(address):
    with pytest.raises(ClusterError) as caught:
        Member({"chief": ("a:1",), "worker": (address,)}, "worker", 0)
    assert str(caught.value) == (
        f"the address of a worker must be HOST:PORT. Received: {address}"
    )


@pytest.mark.parametrize(
    ("workers", "servers", "tasks"),
    [
        (2, 0, ["chief 0", "worker 0"]),
        (2, 2, ["chief 0", "worker 0", "worker 1", "ps 0", "ps 1"]),
        (1, 0, ["chief 0"]),
    ],
)
def test_a_local_cluster_has_so_many_computing_processes(workers, servers, tasks):
    members = local_cluster(workers, servers)
    assert [str(member) for member in members] == tasks
    assert members[0].is_chief
    assert len({json.dumps(member.cluster) for member in members}) == 1


def test_the_ports_of_a_local_cluster_are_free_and_different():
    [member, *_] = local_cluster(2, 2)
    ports = [
        int(at.rpartition(":")[2]) for all_ in member.cluster.values() for at in all_
    ]
    assert len(set(ports)) == 5
    for port in ports:
        with socket.socket() as one:
            one.bind(("127.0.0.1", port))
