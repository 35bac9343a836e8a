"""The memory that the report's scoring needs at its peak, by rows of the split."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyarrow as pa

TASKS = ("long_view", "like")
LIMIT_GB = 2.0
ROWS_PER_FILE = 100_000
HISTORY = 30
USERS_PER_ROW, VIDEOS = 0.05, 50_000


def write_split(folder: Path, rows: int) -> None:
    """Writes gzipped TFRecord files of rows with histories of 30 events."""
    import tensorflow as tf

    from preprocessing.datasets.tf_examples import encode_examples

    folder.mkdir(parents=True)
    random = np.random.default_rng(1)
    users = max(1, int(rows * USERS_PER_ROW))
    options = tf.io.TFRecordOptions(compression_type="GZIP", compression_level=1)
    for number, start in enumerate(range(0, rows, ROWS_PER_FILE)):
        table = _rows(min(ROWS_PER_FILE, rows - start), users, random)
        path = str(folder / f"data-{number:05d}.gz")
        with tf.io.TFRecordWriter(path, options) as writer:
            for example in encode_examples(table):
                writer.write(example)


def write_model(folder: Path) -> None:
    """A SavedModel that scores an example by two of its numbers."""
    import tensorflow as tf

    class Tiny(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "examples")])
        def serve(self, examples: Any) -> dict[str, Any]:
            names = ("avc", "video_impressions")
            spec = {name: tf.io.FixedLenFeature([], tf.int64) for name in names}
            parsed = tf.io.parse_example(examples, spec)
            avc, shown = (tf.cast(parsed[name], tf.float32) for name in names)
            return {"long_view": tf.sigmoid(avc / 500 - 1), "like": 1 / (1 + shown)}

    model = Tiny()
    tf.saved_model.save(model, str(folder), signatures={"serving_default": model.serve})


def peak_of_scoring(folder: Path) -> dict[str, float]:
    """Scores the split as the report does; the process's resident memory in GB."""
    from pipeline.evaluation.gauc_table import gauc_table
    from pipeline.evaluation.scores import count_videos, popularity_scores, score_split

    before = _peak_gb()
    split = str(folder / "split")
    past = count_videos(split, TASKS[0])
    models = {name: str(folder / "model") for name in ("model", "plain")}
    rows, rankings = score_split(models, split, TASKS)
    rankings["popularity"] = {TASKS[0]: popularity_scores(past, rows)}
    table = gauc_table(rows, rankings)
    assert table[0].impressions == past.rows
    return {"rows": past.rows, "before": before, "peak": _peak_gb()}


@click.command()
@click.option("--rows", multiple=True, type=int, default=(200_000, 2_000_000))
@click.option("--measure", hidden=True, type=click.Path(path_type=Path))
def main(rows: tuple[int, ...], measure: Path | None) -> None:
    """Peak memory of the report's scoring of a written split, for each --rows.

    Two models and popularity are scored, in a process of its own. Needs about five
    minutes and 2 GB of disk.
    """
    if measure:
        click.echo(json.dumps(peak_of_scoring(measure)))
        return
    for count in rows:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_split(folder / "split", count)
            write_model(folder / "model")
            size = sum(f.stat().st_size for f in (folder / "split").iterdir()) / 1e9
            result = _measure(folder)
        verdict = "" if count < max(rows) else f"; limit {LIMIT_GB:g} GB: "
        if verdict:
            verdict += "met" if result["peak"] < LIMIT_GB else "MISSED"
        click.echo(
            f"{count:>9,} rows ({size:.2f} GB gzipped): peak {result['peak']:.2f} GB, "
            f"of these {result['before']:.2f} GB before the first row{verdict}"
        )


def _measure(folder: Path) -> dict[str, float]:
    """In a process of its own, so that no earlier peak counts."""
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.evaluation_memory", "--measure", folder],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return json.loads(run.stdout.splitlines()[-1])


def _peak_gb() -> float:
    """Of this program alone: getrusage's peak begins with that of the parent."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    [line] = [text for text in status.splitlines() if text.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e9


def _rows(count: int, users: int, random: np.random.Generator) -> pa.Table:
    def ids(prefix: str, number: int, size: int) -> pa.Array:
        known = pa.array([f"{prefix}-{value}" for value in range(number)])
        return known.take(pa.array(random.integers(0, number, size)))

    def history(values: pa.Array) -> pa.ListArray:
        ends = pa.array(np.arange(0, HISTORY * count + 1, HISTORY, dtype=np.int32))
        return pa.ListArray.from_arrays(ends, values)

    gaps = random.integers(0, 86_400_000, HISTORY * count)
    groups = np.array(["new", "returning", "inactive", "regular"])
    return pa.table(
        {
            "user_id": ids("user", users, count),
            "video_id": ids("video", VIDEOS, count),
            "user_group": groups[random.integers(0, 4, count)],
            "is_new_video": random.integers(0, 2, count),
            "avc": random.integers(0, 1000, count),
            "video_impressions": random.integers(0, 1000, count),
            "event_time_ms": random.integers(0, 86_400_000, count),
            "history_video_ids": history(ids("video", VIDEOS, HISTORY * count)),
            "history_gap_ms": history(pa.array(gaps)),
            **{task: random.integers(0, 2, count) for task in TASKS},
        }
    )


if __name__ == "__main__":
    main()
