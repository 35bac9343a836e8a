"""What components do at the least: the Transform's graph, the model's scoring.

    python -m benchmarks.pipeline_run.bare_work WORK RUN_DIR

Timed are the calls alone, on examples that lie in memory, and not the reading of files,
imports, loading of models or the first call, which traces.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.feature_engine.logs import ROOT
from benchmarks.pipeline_run.watched_run import newest

TRANSFORM, SCORING = "transform", "scoring"
_BATCH = 4096


def bare_seconds(work: str, run_dir: Path) -> float:
    """Seconds of one kind of work on what a run left, in a process of its own.

    Args:
        work: `TRANSFORM`, the graph on the examples of both splits; `SCORING`, the
            model on the evaluation split.
        run_dir: the run's folder.
    """
    command = [sys.executable, "-m", __name__, work, str(run_dir)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{work} was not timed:\n{done.stderr[-4000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])


def _transform(root: Path) -> float:
    import tensorflow as tf
    import tensorflow_transform as tft
    from tensorflow_transform.saved import saved_transform_io_v2

    from pipeline.config import load_config
    from pipeline.model.export import raw_columns

    graph = newest(root / "Transform" / "transform_graph")
    place = tft.TFTransformOutput(str(graph)).transform_savedmodel_dir
    loader = saved_transform_io_v2.SavedModelLoader(place)
    columns = raw_columns(load_config(ROOT / "configs" / "demo.yaml"))
    spec = {column.name: column.parsing for column in columns}

    @tf.function(autograph=False)
    def apply(examples: Any) -> dict[str, Any]:
        parsed = tf.io.parse_example(examples, spec)
        return dict(loader.apply_transform_model(parsed))

    return _seconds(apply, _batches(root, ("train", "eval")))


def _scoring(root: Path) -> float:
    from pipeline.evaluation.scores import ExportedModel

    model = newest(root / "Trainer" / "model") / "Format-Serving"
    exported = ExportedModel(str(model))
    return _seconds(exported.score, _batches(root, ("eval",)))


def _batches(root: Path, splits: Iterable[str]) -> Iterable[Any]:
    from pipeline.examples.example_files import serialized_batches

    examples = newest(root / "ImpressionExampleGen" / "examples")
    for split in splits:
        yield from serialized_batches(str(examples / f"Split-{split}"), _BATCH)


def _seconds(call: Callable[[Any], Any], batches: Iterable[Any]) -> float:
    taken, warm = 0.0, False
    for batch in batches:
        if not warm:
            call(batch)
            warm = True
        start = time.perf_counter()
        call(batch)
        taken += time.perf_counter() - start
    return taken


if __name__ == "__main__":
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    works = {TRANSFORM: _transform, SCORING: _scoring}
    print(json.dumps({"seconds": works[sys.argv[1]](Path(sys.argv[2]) / "pipeline")}))
