"""A parameter server, which trains nothing here, as the process that it is."""

import os
import signal
import socket
from contextlib import suppress

import pytest

from pipeline.training.cluster.member_process import MemberProcess
from pipeline.training.cluster.membership import local_cluster
from tests.helpers.waiting import wait_until

TO_START_S = 300


@pytest.fixture
def start():
    """Starts a member; it ends with the test."""
    started = []

    def begin(member):
        started.append(MemberProcess(member))
        return started[-1]

    yield begin
    for process in started:
        process.end(0)


def answers(member):
    host, _, port = member.address.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def test_a_server_outlives_a_signal_to_all_and_ends_when_it_is_asked(start):
    server = local_cluster(1, 1)[-1]
    process = start(server)
    wait_until(lambda: answers(server), TO_START_S)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(process._process.pid, number)
    process.wait(1)
    assert process.ended is None
    process.ask_to_end()
    process.wait(60)
    assert process.ended == 0


def test_a_server_whose_port_is_in_use_says_so(start):
    server = local_cluster(1, 1)[-1]
    host, _, port = server.address.rpartition(":")
    with socket.create_server((host, int(port))):
        process = start(server)
        process.wait(TO_START_S)
    assert process.how_it_ended().startswith(
        f"ps 0 ended with code 1: cannot listen at {server.address}; is the port in use"
    )
