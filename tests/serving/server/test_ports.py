import socket

import pytest

from serving.server.ports import ListenError, check_ports
from serving.server.settings.server_options import ServerOptions


def check(host="127.0.0.1", grpc_port=0, rest_port=0):
    check_ports(ServerOptions(host=host, grpc_port=grpc_port, rest_port=rest_port))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_free_ports_are_free_again_afterwards(host):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for _ in range(2):
        check(host, grpc_port=port)
        check(host, rest_port=port)


@pytest.mark.parametrize("argument", ["grpc_port", "rest_port"])
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_in_use_is_named(host, argument):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            ListenError, match=f"{host}:{port} for .* another {argument}"
        ):
            check(host, **{argument: port})


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", "2001:db8::1"])
def test_another_machines_address_is_named(host):
    with pytest.raises(ListenError, match="the address is not this machine's"):
        check(host)


def test_one_port_is_not_for_both():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ListenError, match=f"a port each. Received: {port} for both"):
        check(grpc_port=port, rest_port=port)
