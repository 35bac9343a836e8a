"""Runs every benchmark of `poso_keras`, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
from rich.console import Console

from benchmarks.command import WIDTH
from benchmarks.report import Report, summary

SCRIPTS = ("attention", "all_poso", "experts", "gauc", "against_nextrec")


@click.command()
@click.option("--repeats", default=30, show_default=True, help="Rounds, as in each.")
@click.option("--threads", default=1, show_default=True, help="Threads, as in each.")
@click.option("--jit", is_flag=True, help="Compile by XLA, as in each.")
@click.option(
    "--json",
    "json_file",
    default="runs/benchmarks/layers.json",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the reports go, together; each also beside it by its name.",
)
def main(repeats: int, threads: int, jit: bool, json_file: Path) -> None:
    """Measure what poso_keras claims, and print every ratio beside its target.

    A missed target is no failure: the exit code is 1 only if a script broke.
    """
    reports, broken = {}, []
    for name in SCRIPTS:
        file = json_file.parent / f"{name}.json"
        file.unlink(missing_ok=True)
        arguments = ["--repeats", str(repeats), "--threads", str(threads)]
        arguments += ["--json", str(file), *(["--jit"] if jit else [])]
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        if subprocess.run(command, check=False).returncode:
            broken.append(name)
        else:
            reports[name] = Report.read(file)
    together = {name: report.as_json() for name, report in reports.items()}
    json_file.parent.mkdir(parents=True, exist_ok=True)
    json_file.write_text(json.dumps(together, indent=2) + "\n", encoding="utf-8")
    console = Console(width=WIDTH)
    console.print(summary(reports.values()), highlight=False)
    console.print(f"written to {json_file}", highlight=False)
    if broken:
        raise click.ClickException(f"these broke: {', '.join(broken)}")


if __name__ == "__main__":
    main()
