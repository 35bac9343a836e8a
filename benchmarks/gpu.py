"""What POSO costs on a GPU: Keras 3 with JAX or TensorFlow, in bfloat16.

Run it where Keras 3 and the backend are (requirements/backends.txt) and a GPU is seen:

    TF_USE_LEGACY_KERAS=0 KERAS_BACKEND=jax CUDA_VISIBLE_DEVICES=0 \
      python -m benchmarks.gpu
"""

from __future__ import annotations

import importlib
from typing import Any

import click
import numpy as np
from rich.console import Console

from benchmarks.command import WIDTH
from benchmarks.interleaved import calls, measure
from benchmarks.production_shape import TASKS, input_shapes
from benchmarks.report import Report, Row, milliseconds, number_row, print_report

# Table 1's model by `benchmarks.all_poso`: forward FLOPs a sample; a step is thrice.
_FORWARD_FLOPS = {"plain": 69.85e6, "POSO": 70.79e6}


@click.command()
@click.option("--batch", default=8192, show_default=True)
@click.option("--repeats", default=20, show_default=True, help="Rounds.")
@click.option(
    "--peak-tflops",
    default=989.0,
    show_default=True,
    help="The device's dense bfloat16 peak; an H100's or H200's by default.",
)
@click.option("--anyway", is_flag=True, help="Also run without a GPU, to try it out.")
def main(batch: int, repeats: int, peak_tflops: float, anyway: bool) -> None:
    """Step time of POSO, of POSO with the textbook's attention, and of plain."""
    import keras

    backend = keras.backend.backend()
    if not (anyway or _sees_gpu(backend)):
        click.echo(f"{backend} sees no GPU: nothing was measured")
        return
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    steps = {kind: _step(kind, batch) for kind in ("plain", "POSO", "textbook")}
    rounds = measure({kind: calls(step) for kind, step in steps.items()}, repeats)
    seconds = {kind: rounds.time(kind).median for kind in steps}
    values = {kind: milliseconds(value) for kind, value in seconds.items()}
    rows = [
        Row("step, POSO / plain", rounds.ratio("POSO", "plain"), 1.10, False, values),
        Row(
            "step, textbook attention / ours",
            rounds.ratio("textbook", "POSO"),
            None,
            True,
            values,
        ),
    ]
    for kind, flops in _FORWARD_FLOPS.items():
        reached = 3 * flops * batch / seconds[kind] / 1e12
        share = reached / peak_tflops
        shown = {"reached": f"{reached:.1f} TFLOP/s", "peak": f"{peak_tflops:g}"}
        rows.append(number_row(f"share of the peak, {kind}", share, values=shown))
    environment = {"backend": backend, "keras": keras.__version__, "batch": batch}
    title = "Table 1's proportions on Keras 3, mixed_bfloat16"
    print_report(Report(title, rows, [], environment), Console(width=WIDTH))


def _step(kind: str, batch: int) -> Any:
    import keras

    from benchmarks.keras3_model import production_model

    keras.utils.set_random_seed(7)
    model = production_model(kind)
    random = np.random.default_rng(0)
    inputs = [
        keras.ops.convert_to_tensor(random.normal(size=(batch, *shape)), "float32")
        for shape in input_shapes()
    ]
    targets = keras.ops.convert_to_tensor(random.normal(size=(batch, TASKS)), "float32")
    return lambda: model.train_on_batch(inputs, targets)


def _sees_gpu(backend: str) -> bool:
    if backend == "jax":
        return bool(importlib.import_module("jax").default_backend() == "gpu")
    if backend == "tensorflow":
        config = importlib.import_module("tensorflow").config
        return bool(config.list_physical_devices("GPU"))
    return bool(importlib.import_module("torch").cuda.is_available())


if __name__ == "__main__":
    main()
