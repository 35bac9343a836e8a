"""Trainings in other processes, and what their members took."""

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import RunConfig, TrainerPart
from pipeline.training import member_process
from tests.helpers.small_transform import SmallTransform

# Writes a line for each example that a step takes, wherever the step runs.
_COUNTED = """
    import json, os, sys
    import pipeline
    import tensorflow as tf
    from pipeline.model.ranking_model import RankingModel
    from pipeline.training.member import main

    task = json.loads(os.environ["TF_CONFIG"])["task"]
    place = f"file://{sys.argv[2]}/{task['type']}-{task['index']}.seen"
    step = RankingModel.train_step

    def counted(self, batch):
        names = "user_key video_id avc video_impressions active_days_7".split()
        columns = [tf.strings.as_string(batch[name]) for name in names]
        rows = tf.strings.reduce_join(columns, axis=0, separator=" ")
        tf.print(tf.strings.reduce_join(rows + "\\n"), output_stream=place, end="")
        return step(self, batch)

    RankingModel.train_step = counted
    main()
"""


@contextmanager
def counted_members(
    patch: pytest.MonkeyPatch, folder: Path
) -> Iterator[Callable[[str], list[str]]]:
    """Members that write down which examples they take.

    Yields:
        The examples that a member took, by its name, such as `worker-0`.
    """
    popen = subprocess.Popen
    code = textwrap.dedent(_COUNTED)

    def seen(name: str) -> list[str]:
        path = folder / f"{name}.seen"
        return path.read_text().splitlines() if path.exists() else []

    patch.setattr(
        member_process.subprocess,
        "Popen",
        lambda command, **options: popen(
            [sys.executable, "-c", code, *command[3:], str(folder)], **options
        ),
    )
    yield seen


def run_arguments(small: SmallTransform, folder: Path, config: RunConfig) -> FnArgs:
    """The arguments of `run_fn` for a training below a folder."""
    (folder / "run").mkdir(parents=True, exist_ok=True)
    return FnArgs(
        train_files=small.train_files,
        eval_files=small.train_files,
        transform_graph_path=str(small.folder / "graph"),
        serving_model_dir=str(folder / "serving"),
        model_run_dir=str(folder / "run"),
        custom_config={
            "config": config.part(TrainerPart).model_dump_json(),
            "checkpoint_dir": str(folder / "checkpoints"),
        },
    )
