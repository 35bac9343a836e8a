"""Runs of a part of the pipeline: up to a component, or anew from one on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.local.local_dag_runner import LocalDagRunner


class UnknownComponentError(ValueError):
    """A component that the pipeline does not have; the message lists those it has."""


def nodes_until(nodes: Sequence[BaseNode], name: str) -> list[BaseNode]:
    """The nodes up to one of them.

    Args:
        nodes: In the order in which they run.
        name: The last one's id; empty for all.

    Raises:
        UnknownComponentError: There is no such node.
    """
    if not name:
        return list(nodes)
    return list(nodes[: _place(nodes, name) + 1])


def node_and_following(nodes: Sequence[BaseNode], name: str) -> set[str]:
    """The ids of a node and of all that read, also by way of others, what it makes.

    Args:
        nodes: Of a pipeline.
        name: The first one's id; empty for none.

    Raises:
        UnknownComponentError: There is no such node.
    """
    if not name:
        return set()
    found: set[str] = set()
    waiting = [nodes[_place(nodes, name)]]
    while waiting:
        node = waiting.pop()
        found.add(node.id)
        waiting += [n for n in node.downstream_nodes if n.id not in found]
    return found


class PartlyCachedRunner(LocalDagRunner):
    """Runs a pipeline on this machine; of some nodes no earlier output is reused.

    Args:
        again: Their ids.
    """

    def __init__(self, again: Collection[str] = ()):
        super().__init__()
        self._again = again

    def run_with_ir(self, pipeline: Any, run_options: Any = None) -> None:
        """See `LocalDagRunner`."""
        for node in pipeline.nodes:
            if node.pipeline_node.node_info.id in self._again:
                options = node.pipeline_node.execution_options
                options.caching_options.enable_cache = False
        super().run_with_ir(pipeline, run_options)


def _place(nodes: Sequence[BaseNode], name: str) -> int:
    names = [node.id for node in nodes]
    if name not in names:
        raise UnknownComponentError(
            f"the pipeline has no component {name}; it has {', '.join(names)}"
        )
    return names.index(name)
