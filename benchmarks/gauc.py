"""GAUC: against a loop over users, and against one sort."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

import poso_keras
from benchmarks.command import Options, benchmark_command
from benchmarks.interleaved import calls, measure
from benchmarks.report import Row, milliseconds

ROWS, USERS = 1_000_000, 50_000
# A loop over all users takes half a minute; a round takes every tenth of them.
SHARE = 10


def measure_gauc(options: Options) -> tuple[str, list[Row], list[str]]:
    """`gauc` of 1 M rows and 50 k users against scikit-learn and against a sort."""
    rng = np.random.default_rng(0)
    users = rng.integers(0, USERS, ROWS)
    labels = (rng.random(ROWS) < 0.3).astype(np.int64)
    scores = rng.random(ROWS).astype(np.float32)
    some = users % SHARE == 0
    part = (labels[some], scores[some], users[some])
    expected, actual = loop_gauc(*part), poso_keras.gauc(*part).value
    if not np.isclose(expected, actual, rtol=1e-9):
        raise ValueError(f"gauc must be {expected}. Received: {actual}")

    key = users.astype(np.uint64) << np.uint64(32) | scores.view(np.uint32)
    doubles = rng.random(ROWS)
    contestants = {
        "gauc": lambda: poso_keras.gauc(labels, scores, users),
        "gauc, doubles": lambda: poso_keras.gauc(labels, doubles, users),
        "sort": lambda: np.sort(key),
        "argsort": lambda: np.argsort(key),
        "lexsort": lambda: np.lexsort((scores, users)),
    }
    blocks = {name: calls(function) for name, function in contestants.items()}
    sorts = measure(blocks, options.repeats)
    blocks = {
        "gauc": blocks["gauc"],
        "loop": calls(lambda: loop_gauc(*part)),
    }
    loop = measure(blocks, min(options.repeats, 7), max_s=60)

    ratio = loop.ratio("loop", "gauc").times(SHARE)
    values = {
        "gauc": milliseconds(loop.time("gauc").median),
        "loop": milliseconds(SHARE * loop.time("loop").median),
    }
    rows = [Row("loop of roc_auc_score / gauc", ratio, 100, values=values)]
    for name, other, target in (
        ("gauc", "sort", 1.5),
        ("gauc", "argsort", None),
        ("gauc", "lexsort", None),
        ("gauc, doubles", "lexsort", None),
    ):
        values = {k: milliseconds(sorts.time(k).median) for k in (name, other)}
        ratio = sorts.ratio(name, other)
        rows.append(Row(f"{name} / {other}", ratio, target, False, values))
    notes = [
        f"loop: rows grouped by one argsort, then roc_auc_score a user with both "
        f"labels; timed on every {SHARE}th user and multiplied.",
        "sort: np.sort of uint64 keys, user and float32 score packed, the cheapest "
        "sort NumPy has. It returns keys and no order, so that labels are lost; a "
        "metric by plain NumPy needs argsort of these keys, or lexsort.",
        "doubles: scores that no float32 holds; they are replaced by ranks first.",
    ]
    return f"GAUC of {ROWS:,} rows, {USERS:,} users", rows, notes


def loop_gauc(
    labels: npt.NDArray[np.int64],
    scores: npt.NDArray[np.floating],
    users: npt.NDArray[np.int64],
) -> float:
    """GAUC by one `roc_auc_score` a user, weighted by impressions."""
    order = np.argsort(users, kind="stable")
    ends = np.flatnonzero(np.diff(users[order])) + 1
    total = weight = 0.0
    for y, s in zip(
        np.split(labels[order], ends), np.split(scores[order], ends), strict=True
    ):
        if 0 < y.sum() < len(y):
            total += len(y) * roc_auc_score(y, s)
            weight += len(y)
    return total / weight


main = benchmark_command(measure_gauc)

if __name__ == "__main__":
    main()
