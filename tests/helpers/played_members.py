"""A cluster's members as small scripts, which train nothing.

Called with a folder and a script, it is a run of two workers that is to be signalled.
"""

import subprocess
import sys
import textwrap
from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import StrategyConfig
from pipeline.training.cluster import member_process
from pipeline.training.cluster.launcher import train_in_cluster

WORKERS = StrategyConfig(kind="multi_worker", local_workers=2)

_MEMBER = """
    import json, os, signal, sys, threading, time
    task = json.loads(os.environ["TF_CONFIG"])["task"]
    name = f"{task['type']} {task['index']}"
    folder = sys.argv[1]
    open(os.path.join(folder, name), "w").write(" ".join(sys.argv[2:]))
    def end():
        while os.read(0, 1):
            pass
        os._exit(9)
    threading.Thread(target=end, daemon=True).start()
    def wait_for(*names):
        while not all(os.path.exists(os.path.join(folder, name)) for name in names):
            time.sleep(0.01)  # between two looks
    def stay():
        while True:
            signal.pause()  # until the launcher ends it
    if name == "chief 0":
        wait_for("worker 0")
"""


def play(patch, script: str, folder: Path, strategy: StrategyConfig = WORKERS) -> None:
    """Trains with members that follow a script, with its `name` and `folder`.

    Args:
        patch: A `pytest.MonkeyPatch`.
        script: Python, for every member.
        folder: Where each leaves a file of its name; checkpoints in `ck`.
        strategy: Which members there are.
    """
    popen = subprocess.Popen
    text = textwrap.dedent(_MEMBER) + textwrap.dedent(script)
    patch.setattr(
        member_process.subprocess,
        "Popen",
        lambda command, **options: popen(
            [sys.executable, "-c", text, str(folder), *command[-1:]], **options
        ),
    )
    arguments = FnArgs(
        train_files=["train-*"],
        eval_files=["eval-*"],
        transform_graph_path="graph",
        serving_model_dir="serving",
        model_run_dir="run",
        custom_config={"config": "{}", "checkpoint_dir": str(folder / "ck")},
    )
    train_in_cluster(arguments, strategy)


if __name__ == "__main__":
    import pytest

    with pytest.MonkeyPatch.context() as patch:
        play(patch, sys.argv[2], Path(sys.argv[1]))
