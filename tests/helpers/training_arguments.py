"""What TFX hands to `run_fn`."""

from tfx.components.trainer.fn_args_utils import FnArgs

from pipeline.config import TrainerPart


def training_arguments(part, files, graph, folder):
    """The arguments of a training that writes below one folder.

    Args:
        part: The `TrainerPart`.
        files: Patterns of the examples, both to train and to evaluate on.
        graph: The Transform's output.
        folder: A `pathlib.Path`.
    """
    (folder / "run").mkdir(parents=True, exist_ok=True)
    return FnArgs(
        train_files=files,
        eval_files=files,
        transform_graph_path=graph,
        serving_model_dir=str(folder / "serving"),
        model_run_dir=str(folder / "run"),
        custom_config={
            "config": part.model_dump_json(),
            "checkpoint_dir": str(folder / "checkpoints"),
        },
    )


def run_arguments(small, folder, config=None):
    """The arguments of a training on a `SmallTransform`, below a `pathlib.Path`.

    Args:
        small: What to train and to evaluate on.
        folder: Where to write.
        config: The `RunConfig`; by default that of the Transform.
    """
    part = (config or small.config).part(TrainerPart)
    graph = str(small.folder / "graph")
    return training_arguments(part, small.train_files, graph, folder)
