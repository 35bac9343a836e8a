"""The table of what a run would cost."""

from __future__ import annotations

from pipeline.log_check.check import LogCheck
from pipeline.log_check.summary_lines import duration
from pipeline.log_check.tables.number_table import NumberTable


def cost_table(found: LogCheck) -> NumberTable:
    """What each part of a run would take."""
    cost = found.cost
    rows = [(name, duration(seconds)) for name, seconds in cost.seconds.items()]
    rows += [
        ("all of it", duration(cost.total_s)),
        ("memory", f"{cost.memory_bytes / 1e9:.1f} GB"),
        ("an example, gzipped", f"{cost.example_bytes:,.0f} bytes"),
        ("disk", f"{cost.disk_bytes / 1e9:.2f} GB"),
    ]
    return NumberTable(
        "What a run would cost",
        ("part", "about"),
        rows,
        "By the rates of docs/benchmarks.md, on two cores: more are faster, a larger "
        "model is slower.",
    )
