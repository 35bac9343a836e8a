"""A server for a trial, in a process of its own (`python -m` of this module).

It takes a folder of model versions and a model name, listens on free ports of this
machine, prints them as one line of JSON and serves until its standard input ends. So
it ends with the process that started it, however that one ends.
"""

from __future__ import annotations

import json
import sys

from serving.server.embedded_server import EmbeddedServer
from serving.server.settings.server_options import ServerOptions


def main(model_dir: str, name: str) -> None:
    """Serves until standard input ends.

    Args:
        model_dir: Folder of numbered version folders.
        name: The model's name in requests.
    """
    options = ServerOptions(name=name, grpc_port=0, rest_port=0)
    with EmbeddedServer(model_dir, options) as server:
        ports = {"grpc_port": server.grpc_port, "rest_port": server.rest_port}
        print(json.dumps(ports), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
