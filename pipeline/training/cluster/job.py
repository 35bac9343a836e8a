"""What a cluster's processes train, as a file that all of them can read."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

_FOLDER, _ENDING = "jobs", ".json"


@dataclass(frozen=True)
class Job:
    """One training, as TFX asks `run_fn` for it.

    Attributes:
        train_files: Patterns of the transformed examples to train on.
        eval_files: Patterns of those to evaluate on.
        transform_graph_path: The Transform's output.
        serving_model_dir: Where the model goes.
        model_run_dir: Where what is learned about it goes.
        custom_config: What `run_fn` reads of it.
        base_model: The model to start from, or None.
        identifier: Another for every start.
    """

    train_files: list[str]
    eval_files: list[str]
    transform_graph_path: str
    serving_model_dir: str
    model_run_dir: str
    custom_config: dict[str, Any]
    base_model: str | None = None
    identifier: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def of(cls, fn_args: FnArgs) -> Job:
        """The job that TFX's arguments describe."""
        return cls(
            list(fn_args.train_files),
            list(fn_args.eval_files),
            fn_args.transform_graph_path,
            fn_args.serving_model_dir,
            fn_args.model_run_dir,
            dict(fn_args.custom_config),
            fn_args.base_model,
        )

    def fn_args(self) -> FnArgs:
        """The arguments as `run_fn` takes them."""
        values = asdict(self)
        del values["identifier"]
        return FnArgs(**values)

    def write(self, folder: str) -> str:
        """Writes the file to a folder; returns where it is."""
        tf.io.gfile.makedirs(folder)
        path = os.path.join(folder, self.identifier + _ENDING)
        # A reader must not see half of it; it looks for the ending.
        with tf.io.gfile.GFile(path + ".unfinished", "w") as file:
            json.dump(asdict(self), file)
        tf.io.gfile.rename(path + ".unfinished", path)
        return path

    @classmethod
    def read(cls, path: str) -> Job:
        """Reads a job's file."""
        with tf.io.gfile.GFile(path) as file:
            return cls(**json.load(file))


def jobs_folder(checkpoint_dir: str) -> str:
    """Where the jobs lie whose checkpoints go to a folder."""
    return os.path.join(checkpoint_dir, _FOLDER)


def waiting_jobs(folder: str) -> list[str]:
    """The jobs' files in a folder that may not be there yet."""
    return sorted(tf.io.gfile.glob(os.path.join(folder, "*" + _ENDING)))
