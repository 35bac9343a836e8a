"""Trainings in other processes, and what their members took."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.training import trainer
from pipeline.training.cluster import launcher, member_process
from pipeline.training.findings.run_files import HISTORY_FILE
from tests.helpers.small_transform import SmallTransform, settings_with
from tests.helpers.training_arguments import run_arguments

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
            [sys.executable, "-c", code, *command[-1:], str(folder)], **options
        ),
    )
    yield seen


def kill_member(
    patch: pytest.MonkeyPatch, name: str, when: Callable[[str], bool]
) -> list[str]:
    """Kills a member of a training at a line of progress.

    Args:
        patch: Of the test.
        name: The member's, such as `worker 0`.
        when: Whether a line is the one; the first that is kills.

    Returns:
        The lines of progress, to come.
    """
    doomed: list[member_process.MemberProcess] = []
    lines: list[str] = []

    class Known(member_process.MemberProcess):
        def __init__(self, *arguments: Any):
            super().__init__(*arguments)
            if str(self.member) == name:
                doomed.append(self)

    def say(line: str) -> None:
        lines.append(line)
        if doomed and when(line):
            doomed.pop().end(0)

    patch.setattr(launcher, "MemberProcess", Known)
    patch.setattr(launcher, "report_progress", lines.append)
    patch.setattr(member_process, "report_progress", say)
    return lines


def history_of(
    small: SmallTransform, folder: Path, training: dict[str, Any], **strategy: Any
) -> dict[str, list[float]]:
    """Trains as TFX would, below a folder; the history that it leaves there."""
    config = settings_with(training={**training, "strategy": strategy})
    trainer.run_fn(run_arguments(small, folder, config))
    return json.loads((folder / "run" / HISTORY_FILE).read_text())
