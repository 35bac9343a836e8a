"""A ranking as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from serving.client.ranking_client import RankResult

_SCORE_WIDTH = len("0.1234")


def ranking_table(
    video_ids: Sequence[str], result: RankResult, most: int = 20
) -> Table:
    """Candidates by fused score, best first.

    Args:
        video_ids: The candidates [M], in the order of the request.
        result: What the server answered.
        most: The table's most rows.
    """
    table = Table(box=None, pad_edge=False)
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("video", overflow="fold")
    table.add_column("fused", justify="right", no_wrap=True)
    for task in result.tasks:
        table.add_column(task, justify="right", min_width=_SCORE_WIDTH, overflow="fold")
    order = sorted(range(len(video_ids)), key=lambda i: -result.fused[i])
    for rank, index in enumerate(order[:most], start=1):
        scores = [f"{value:.4f}" for value in result.scores[index]]
        table.add_row(
            str(rank), video_ids[index], f"{result.fused[index]:.4f}", *scores
        )
    return table
