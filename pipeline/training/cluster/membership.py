"""Which processes train together, and which of them this one is."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

_TASKS = ("chief", "worker", "ps")
_HOW = (
    "set TF_CONFIG, as Kubeflow's training operator does, or "
    "training.strategy.local_workers to start the workers on this machine"
)


class ClusterError(ValueError):
    """The cluster in the environment cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Member:
    """One process of a cluster.

    Attributes:
        cluster: The addresses, `host:port`, of each task's processes.
        task: `chief`, `worker` or `ps`, a parameter server.
        index: Which of its task's processes it is.
    """

    cluster: Mapping[str, tuple[str, ...]]
    task: str
    index: int

    def __post_init__(self) -> None:
        """Checks that it is one of its cluster's."""
        unknown = set(self.cluster) - set(_TASKS)
        if unknown:
            raise ClusterError(
                f"a cluster's tasks must be of {', '.join(_TASKS)}. "
                f"Received: {', '.join(sorted(unknown))}"
            )
        for task, addresses in self.cluster.items():
            for address in addresses:
                _check_address(task, address)
        if self.index not in range(len(self.cluster.get(self.task, ()))):
            raise ClusterError(
                f"the cluster has no task {self}. Received: {dict(self.cluster)}"
            )

    def __str__(self) -> str:
        return f"{self.task} {self.index}"

    @property
    def is_chief(self) -> bool:
        """Whether it is the one that writes; without a chief the first worker is."""
        first = "chief" if "chief" in self.cluster else "worker"
        return (self.task, self.index) == (first, 0)

    @property
    def has_servers(self) -> bool:
        """Whether its cluster is one of parameter servers."""
        return "ps" in self.cluster

    @property
    def serves(self) -> bool:
        """Whether it is there for a coordinator: it has no job, and nothing to save."""
        return self.has_servers and not self.is_chief

    @property
    def address(self) -> str:
        """`host:port` of this one."""
        return self.cluster[self.task][self.index]

    @property
    def chief_address(self) -> str:
        """`host:port` of the one that writes."""
        return (self.cluster.get("chief") or self.cluster["worker"])[0]

    @property
    def tf_config(self) -> str:
        """The value of TF_CONFIG by which TensorFlow knows this process."""
        return json.dumps(
            {
                "cluster": {name: list(at) for name, at in self.cluster.items()},
                "task": {"type": self.task, "index": self.index},
            }
        )

    @classmethod
    def from_environment(cls) -> Member:
        """This process, by TF_CONFIG.

        Raises:
            ClusterError: TF_CONFIG is not set, or holds no such cluster.
        """
        text = os.environ.get("TF_CONFIG")
        if not text:
            raise ClusterError(f"there is no cluster to train in: {_HOW}")
        try:
            value = json.loads(text)
            cluster = {
                name: tuple(map(str, at)) for name, at in value["cluster"].items()
            }
            task, index = str(value["task"]["type"]), int(value["task"]["index"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ClusterError(
                'TF_CONFIG must be JSON like {"cluster": {"worker": ["host:port"]}, '
                f'"task": {{"type": "worker", "index": 0}}}}. Received: {text}'
            ) from error
        return cls(cluster, task, index)


def local_cluster(workers: int, servers: int = 0) -> list[Member]:
    """The members of a cluster on this machine, the chief first.

    Args:
        workers: Processes that compute; without servers the chief is one of them.
        servers: Parameter servers.
    """
    counts = {"chief": 1, "worker": workers if servers else workers - 1, "ps": servers}
    ports = iter(_free_ports(sum(counts.values())))
    cluster = {
        task: tuple(f"127.0.0.1:{next(ports)}" for _ in range(count))
        for task, count in counts.items()
        if count
    }
    return [
        Member(cluster, task, index)
        for task, addresses in cluster.items()
        for index in range(len(addresses))
    ]


def _check_address(task: str, address: str) -> None:
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise ClusterError(
            f"the address of a {task} must be HOST:PORT. Received: {address}"
        )


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
