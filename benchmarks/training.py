"""The training loop: its input, its step, its largest table.

Everything is made up here, of the shape of KuaiRand's, so that anyone can run it.
"""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf
import tf_keras

from benchmarks.big_table import LARGE, SMALL, TABLE, measure_apart
from benchmarks.command import Options, benchmark_command
from benchmarks.distribution import measure_distribution
from benchmarks.interleaved import Rounds, calls, measure
from benchmarks.kuairand_shape import (
    BATCH,
    ROWS,
    RandomExamples,
    endless,
    new_model,
    training_config,
)
from benchmarks.parsing import measure_parsing
from benchmarks.report import Row, milliseconds, number_row
from benchmarks.steps_in_memory import steps_block
from pipeline.training.input.epoch_reader import EpochReader
from pipeline.training.loop.finite_losses import FiniteLosses
from pipeline.training.loop.steps import InSyncSteps

# Of each epoch; the mixing buffer is filled anew at its beginning, as in a training.
EXAMPLES = 64 * BATCH
_MAX_S = 90.0


def measure_training(options: Options) -> tuple[str, list[Row], list[str]]:
    """The loop on files against memory, parsing, POSO against plain, a large table.

    Needs about ten minutes, 5 GB of memory and 0.2 GB of disk. TensorFlow's threads
    are its default, one a core: a training has the machine to itself.
    """
    rows = [
        _from_files(options),
        measure_parsing(options.repeats),
        _all_poso(options),
        *_large_table(options),
        *measure_distribution(options.repeats),
    ]
    notes = [
        "from files: gzipped TFRecord files of the Transform's tensors, read, mixed, "
        "parsed and trained on by the trainer's own reader and steps; in memory: the "
        "same steps on one batch.",
        "parsing: all examples of a batch at once against one by one, of serialized "
        "examples in memory, by as many threads.",
        f"tables: ids are uniform over the rows of `{TABLE}`, so that nearly each of "
        "the look-ups of a batch has a row of its own; a log's are not.",
        "two workers: processes of one thread each; two replicas: logical devices of a "
        "process with two threads; each has half of the batch, one process with two "
        "threads all of it. Of which computing: a step on half of the batch by one "
        "thread over the strategy's step; the rest goes into exchanging gradients and "
        "waiting for each other.",
        "memory: resident memory of a process at its peak over that when model and "
        "optimizer had been made; a dense gradient would show as 0.64 GB more.",
    ]
    return f"Training: KuaiRand's shape, batch {BATCH}", rows, notes


def _from_files(options: Options) -> Row:
    config = training_config()
    made = RandomExamples(config)
    batch = made.batch()
    model = new_model(config, batch)
    floating = [name for name, value in batch.items() if value.dtype.is_floating]
    with tempfile.TemporaryDirectory() as folder:
        once = made.write(Path(folder), EXAMPLES // 4)
        reader = EpochReader(
            once * 4,  # the pages' cache holds the files either way
            made,
            BATCH,
            shuffle_buffer=config.training.shuffle_buffer,
            seed=config.training.seed,
        )
        finite = FiniteLosses(model, config.task_names, floating)
        steps = InSyncSteps(model, reader, finite)
        files = endless(lambda epoch: steps.batches(epoch, 0))
        rounds = measure(
            {
                "files": steps_block(steps, files),
                "memory": steps_block(steps, itertools.repeat(batch)),
            },
            options.repeats,
            block_s=5.0,
            max_s=_MAX_S,
        )
    seconds = {name: rounds.time(name).median for name in rounds.seconds}
    values = {name: f"{BATCH / value:,.0f}/s" for name, value in seconds.items()}
    # Examples a second from files over those from memory.
    ratio = rounds.ratio("memory", "files")
    return Row("steps from files / in memory", ratio, 0.9, True, values)


def _all_poso(options: Options) -> Row:
    config = training_config()
    plain = config.model_copy(update={"model": config.model.plain()})
    batch = RandomExamples(config).batch()
    contestants = {}
    for name, part in (("plain", plain), ("POSO", config)):
        tf_keras.utils.set_random_seed(7)
        contestants[name] = calls(_train_step(part, batch))
    rounds = measure(contestants, options.repeats, max_s=_MAX_S)
    return Row(
        "step, all POSO / all plain",
        rounds.ratio("POSO", "plain"),
        1.10,
        False,
        _milliseconds(rounds),
    )


def _large_table(options: Options) -> list[Row]:
    config = training_config()
    contestants = {}
    for name, rows in (("10 k", SMALL), ("10 M", LARGE)):
        tables = {**ROWS, TABLE: rows}
        batch = RandomExamples(config, tables).batch()
        contestants[name] = calls(_train_step(config, batch, tables))
    rounds = measure(contestants, options.repeats, max_s=_MAX_S)
    steps = Row(
        "step, table of 10 M rows / of 10 k",
        rounds.ratio("10 M", "10 k"),
        1.5,
        False,
        _milliseconds(rounds),
    )
    lazy, adam = (measure_apart(LARGE, name, 3) for name in ("lazy_adam", "adam"))
    apart = Row(
        "step, 10 M rows, Adam / lazy Adam",
        number_row("", adam["seconds"] / lazy["seconds"]).ratio,
        values={
            "lazy": milliseconds(lazy["seconds"]),
            "Adam": milliseconds(adam["seconds"]),
        },
    )
    memory = number_row(
        "memory of steps, 10 M rows, GB",
        lazy["peak"] - lazy["made"],
        0.64,
        at_least=False,
        values={"made": f"{lazy['made']:.2f} GB", "peak": f"{lazy['peak']:.2f} GB"},
    )
    return [steps, memory, apart]


def _train_step(config: Any, batch: Any, tables: Any = ROWS) -> Any:
    model = new_model(config, batch, tables)
    step = tf.function(model.train_step, autograph=False)
    return lambda: float(step(batch)["loss"])


def _milliseconds(rounds: Rounds) -> dict[str, str]:
    return {name: milliseconds(rounds.time(name).median) for name in rounds.seconds}


main = benchmark_command(measure_training)

if __name__ == "__main__":
    main()
