"""What a run would need, where this machine has less."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.log_check.cost import Cost
from pipeline.log_check.findings.finding import Finding


def means(cost: Cost) -> Iterator[Finding]:
    """Disk and memory that are short."""
    if cost.disk_bytes > cost.free_disk_bytes:
        yield Finding(
            "look",
            "disk",
            f"The examples would take {cost.disk_bytes / 1e9:,.1f} GB; this folder's "
            f"disk has {cost.free_disk_bytes / 1e9:,.1f} GB left.",
            "A run would stop when it is full.",
            "Give --out on another disk, fewer days, or a shorter "
            "features.history_length.",
        )
    if 0 < cost.machine_memory_bytes < cost.memory_bytes:
        yield Finding(
            "look",
            "memory",
            f"A run would take about {cost.memory_bytes / 1e9:,.1f} GB of memory; this "
            f"machine has {cost.machine_memory_bytes / 1e9:,.1f} GB.",
            "The system may stop it.",
            "Take a larger machine, fewer days, or more features.shards.",
        )
