"""Whether a server could listen where it is told to, known before a model is loaded."""

from __future__ import annotations

import socket

from serving.server.settings.server_options import ServerOptions


class ListenError(OSError):
    """A port that cannot be listened on; the message names it and the way out."""


def check_ports(options: ServerOptions) -> None:
    """Looks whether both ports are free, without keeping them.

    Args:
        options: Host and ports; port 0 is any free one.

    Raises:
        ListenError: One is in use, or the address is not this machine's.
    """
    ports = (
        ("gRPC", options.grpc_port, "grpc_port"),
        ("REST", options.rest_port, "rest_port"),
    )
    if options.grpc_port and options.grpc_port == options.rest_port:
        raise ListenError(
            f"gRPC and REST need a port each. Received: {options.grpc_port} for both"
        )
    for protocol, port, argument in ports:
        if not _is_free(options.host.strip("[]"), port):
            raise cannot_listen(protocol, options.host, port, argument)


def cannot_listen(protocol: str, host: str, port: int, argument: str) -> ListenError:
    """The error for a port.

    Args:
        protocol: What is spoken on it.
        host: As it was given.
        port: As it was given.
        argument: Of `ServerOptions`, that names the port.
    """
    return ListenError(
        f"cannot listen on {bracketed(host)}:{port} for {protocol}: the port is in use "
        "or the address is not this machine's; choose another "
        f"{argument}, 0 for any free one"
    )


def bracketed(host: str) -> str:
    """A host as it stands before a colon and a port."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _is_free(host: str, port: int) -> bool:
    """Whether one of the host's addresses can be bound to, as both servers do it."""
    try:
        addresses = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError:
        return False
    for family, kind, protocol, _, address in addresses:
        try:
            with socket.socket(family, kind, protocol) as tried:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                tried.bind(address)
                return True
        except OSError:
            continue
    return False
