import io

from rich.console import Console

from experiments.paired import slice_spreads
from experiments.tables import print_tables


def printed(*seeds):
    def row(slice, gauc):
        names = ("plain", "control", "model")
        return {
            "task": "like",
            "slice": slice,
            "gauc": dict(zip(names, gauc, strict=True)),
        }

    results = [
        {"gauc": [row("all", seed), row("new", (0.5, 0.5, 0.5))]} for seed in seeds
    ]
    gates = {"model": {"moved": 0.142, "between_codes": 0.1, "between_units": 0.05}}
    console = Console(file=io.StringIO(), width=150)
    print_tables(console, slice_spreads(results), gates, len(seeds))
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_every_difference_has_its_mean_and_standard_error():
    lines = printed((0.70, 0.71, 0.73), (0.72, 0.71, 0.74))
    assert "like POSO - plain +2.50 ±0.50 +0.00 ±0.00" in lines
    assert "like POSO - control +2.50 ±0.50 +0.00 ±0.00" in lines
    assert "like control - plain +0.00 ±1.00 +0.00 ±0.00" in lines
    assert "like plain 0.7100 ±0.0141 0.5000 ±0.0000" in lines
    gates = "moved 0.142, between codes 0.100, between units 0.050"
    assert f"gates of POSO, mean of all: {gates}" in lines


def test_a_single_seed_has_no_spread():
    assert "like POSO - plain +3.00 +0.00" in printed((0.70, 0.71, 0.73))
