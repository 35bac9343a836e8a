"""What personalization costs: the all-POSO model against its plain twin."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

from benchmarks.command import Options, benchmark_command
from benchmarks.contestant import Contestant
from benchmarks.environment import use_threads
from benchmarks.flops import count_flops
from benchmarks.interleaved import calls, measure
from benchmarks.production_model import ProductionModel
from benchmarks.production_shape import input_shapes
from benchmarks.report import Row, milliseconds, number_row

BATCH = 256
# Table 1, million FLOPs a sample: plain, POSO.
PAPER = {
    "MLP": (1.50, 1.85),
    "MHA": (7.82, 8.55),
    "MMoE": (40.10, 40.10),
    "model": (69.46, 70.54),
}


def measure_all_poso(options: Options) -> tuple[str, list[Row], list[str]]:
    """The all-POSO model against the all-plain one, at Table 1's size and shares.

    A train step is forward, backward (to the embedded inputs as well) and Adam.
    """
    use_threads(options.threads)
    rng = np.random.default_rng(0)
    inputs = [
        tf.constant(rng.normal(size=(BATCH, *shape)), tf.float32)
        for shape in input_shapes()
    ]
    models, made = {}, {}
    for name in ("plain", "POSO"):
        tf_keras.utils.set_random_seed(7)
        models[name] = ProductionModel(personalized=name == "POSO")
        models[name](*inputs)
        weights = models[name].trainable_weights
        made[name] = Contestant(models[name], inputs, weights, jit=options.jit)
    counts = {name: _flops(model) for name, model in models.items()}
    rows = [
        _timed_row("train step", "train", made, options, 1.10),
        _timed_row("forward", "forward", made, options, None),
        _parameters_row(models),
        *_flops_rows(counts),
    ]
    total = counts["plain"]["model"]
    shares = ", ".join(
        f"{name} {count / total:.1%} (paper {PAPER[name][0] / PAPER['model'][0]:.1%})"
        for name, count in counts["plain"].items()
        if name != "model"
    )
    notes = [
        f"shares of the plain model's FLOPs: {shares}; the rest is a plain stack in "
        "both models, for Table 1 leaves it unnamed.",
        "embedding tables are outside: neither timed nor counted.",
    ]
    return f"All POSO / all plain: batch {BATCH}", rows, notes


def _timed_row(
    label: str,
    work: str,
    made: dict[str, Contestant],
    options: Options,
    target: float | None,
) -> Row:
    rounds = measure(
        {name: calls(getattr(c, work)) for name, c in made.items()},
        options.repeats,
        max_s=75,
    )
    values = {name: milliseconds(rounds.time(name).median) for name in made}
    return Row(label, rounds.ratio("POSO", "plain"), target, False, values)


def _parameters_row(models: dict[str, ProductionModel]) -> Row:
    counts = {name: model.count_params() for name, model in models.items()}
    values = {name: f"{count / 1e6:.2f} M" for name, count in counts.items()}
    ratio = counts["POSO"] / counts["plain"]
    return number_row("parameters", ratio, 1.02, at_least=False, values=values)


def _flops(model: ProductionModel) -> dict[str, float]:
    """FLOPs a sample of each kind of module and of the model, forward."""
    batch = 8
    parts = {**model.parts(), "model": [(model, input_shapes())]}
    return {
        name: sum(
            count_flops(call, [tf.zeros((batch, *shape)) for shape in shapes])
            for call, shapes in modules
        )
        / batch
        for name, modules in parts.items()
    }


def _flops_rows(counts: dict[str, dict[str, float]]) -> list[Row]:
    rows = []
    for name, (plain, poso) in PAPER.items():
        ours = {kind: counts[kind][name] for kind in ("plain", "POSO")}
        values = {kind: f"{count / 1e6:.2f} M" for kind, count in ours.items()}
        rows.append(
            number_row(
                f"FLOPs, {name} (paper {poso / plain:.3f})",
                ours["POSO"] / ours["plain"],
                1.02 if name == "model" else None,
                at_least=False,
                values=values,
            )
        )
    return rows


main = benchmark_command(measure_all_poso)

if __name__ == "__main__":
    main()
