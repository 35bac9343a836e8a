"""The embedded server against the same signatures in process, and under load."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.environment import environment
from benchmarks.report import Report, Row, print_report
from benchmarks.serving_load import measurements
from benchmarks.serving_load.measurements import Setting

Measurement = Callable[[Setting], list[Row]]
PARTS: dict[str, Measurement] = {
    "signatures": measurements.signature_rows,
    "grpc": measurements.grpc_rows,
    "rest": measurements.rest_rows,
    "batching": measurements.batching_rows,
    "swap": measurements.swap_rows,
    "soak": measurements.soak_rows,
}
WIDTH = 124
NOTES = [
    "a request is that of the sampled regular user (30 events of history), its "
    "candidates repeated.",
    "in process: the call that the server makes for a request, in a loop in one "
    "thread, with arrays made beforehand, while the server is idle; in turns with the "
    "load.",
    "plain TensorFlow: tf.saved_model.load(...).signatures['rank'](**tensors) in a "
    "loop, with TensorFlow's default threads.",
    "the load: one process beside the server, on the same cores, with gRPC's asyncio "
    "and aiohttp; bytes made beforehand, answers not decoded.",
    "p99 at half load: requests at random times, half as many a second as 4 callers "
    "reach; a request's time begins when it is due.",
]


@click.command()
@click.option(
    "--model",
    "model_dir",
    default=Path("runs/demo/serving"),
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of version folders; the newest is measured.",
)
@click.option(
    "--request",
    "request_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A user and candidates.  [default: MODEL/../requests/regular.json]",
)
@click.option("--candidates", default=200, show_default=True, help="Of a request.")
@click.option("--repeats", default=5, show_default=True, help="Rounds of a ratio.")
@click.option(
    "--soak-requests", default=100_000, show_default=True, help="Length of the soak."
)
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(PARTS)),
    help="Measure this part; may be repeated.  [default: all]",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the report to this file.",
)
def main(
    model_dir: Path,
    request_file: Path | None,
    candidates: int,
    repeats: int,
    soak_requests: int,
    only: tuple[str, ...],
    json_file: Path | None,
) -> None:
    """Rates, latencies, a version swap and a soak of the embedded server.

    Needs a model of `poso demo` and about six minutes. Nothing else should run.
    """
    version_dir = _newest(model_dir)
    request_file = request_file or model_dir.parent / "requests" / "regular.json"
    if not request_file.is_file():
        raise click.ClickException(f"there is no {request_file}; give --request FILE")
    setting = Setting.load(
        version_dir, request_file, candidates, repeats, soak_requests
    )
    console = Console(width=WIDTH)
    rows: list[Row] = []
    for name, measure in PARTS.items():
        if not only or name in only:
            console.print(f"measuring: {name}", style="dim")
            rows += measure(setting)
    report = Report(
        f"Embedded server: rank of {candidates} candidates, predict_raw of one row",
        rows,
        NOTES,
        _environment(),
    )
    print_report(report, console)
    if json_file:
        report.write(json_file)


def _newest(model_dir: Path) -> Path:
    numbers = [int(path.name) for path in model_dir.glob("[0-9]*")]
    if not numbers:
        raise click.ClickException(
            f"{model_dir} has no model: run `poso demo` first, or give --model DIR"
        )
    return model_dir / str(max(numbers))


def _environment() -> dict[str, Any]:
    machine = environment(threads=1, jit=False)
    names = ("tensorflow", "grpcio", "aiohttp", "protobuf", "numpy")
    return {
        **{name: machine[name] for name in ("date", "cpu", "cores", "python")},
        **{name: importlib.metadata.version(name) for name in names},
    }


if __name__ == "__main__":
    main()
