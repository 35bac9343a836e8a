import io

import numpy as np
from rich.console import Console

from cli.ranking_table import ranking_table
from serving.client.ranking_client import RankResult


def lines_of(table):
    console = Console(file=io.StringIO(), width=100)
    console.print(table)
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_best_first_with_a_column_per_task():
    scores = np.float32([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    result = RankResult(("like", "follow"), scores, np.float32([0.2, 0.9, 0.5]))
    assert lines_of(ranking_table(["a", "b", "c"], result)) == [
        ["rank", "video", "fused", "like", "follow"],
        ["1", "b", "0.9000", "0.3000", "0.4000"],
        ["2", "c", "0.5000", "0.5000", "0.6000"],
        ["3", "a", "0.2000", "0.1000", "0.2000"],
    ]


def test_only_the_first_rows_are_shown():
    fused = np.arange(30, dtype=np.float32)
    result = RankResult(("like",), fused[:, None], fused)
    table = ranking_table([f"v{n}" for n in range(30)], result, most=2)
    assert [row[1] for row in lines_of(table)] == ["video", "v29", "v28"]


def test_long_names_and_their_scores_are_whole():
    names = tuple(f"{letter * 20}_view" for letter in "abcdefg")
    scores = np.tile(np.float32([0.1234]), (2, len(names)))
    result = RankResult(names, scores, np.float32([0.9, 0.5]))
    rows = lines_of(ranking_table(["v" * 40, "w"], result))
    assert [row.count("0.1234") for row in rows if "0.1234" in row] == [7, 7]
    text = "".join("".join(row) for row in rows)
    assert text.count("g") == 20
    assert "…" not in text
