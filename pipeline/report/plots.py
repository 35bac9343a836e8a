"""The report's plots, each as an SVG string."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from pipeline.evaluation.gauc_table import GAUCRow
from pipeline.evaluation.rankings import MODEL, model_title, points
from pipeline.training.findings.gate_profiles import profile_from_dict
from poso_keras.diagnostics import GateProfile

matplotlib.use("svg")

_WIDTH, _HEIGHT = 4.2, 2.9
_MIXED_MODULES = 8  # a gate with more outputs masks the units of a layer
_MOST_PANELS = 4


def learning_curves(
    histories: Mapping[str, Mapping[str, Sequence[float]]], tasks: Sequence[str]
) -> str:
    """Loss and each task's evaluation GAUC, epoch by epoch, of every trained model."""
    figure, axes = _figure(1 + len(tasks))
    for name, history in histories.items():
        loss = history["mean_loss"]
        epochs = range(1, len(loss) + 1)
        axes[0].plot(epochs, loss, marker="o", label=f"{name}, training")
        axes[0].plot(epochs, history["val_mean_loss"], marker="o", ls="--", label=name)
        for axis, task in zip(axes[1:], tasks, strict=True):
            axis.plot(epochs, history[f"val_{task}_gauc"], marker="o", label=name)
    for axis, title in zip(axes, ["loss", *(f"GAUC {t}" for t in tasks)], strict=True):
        axis.set_title(title)
        axis.set_xlabel("epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
    axes[0].legend(fontsize=7)
    return _svg(figure)


def calibration_curves(curves: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Label rate against mean score, in tenths of each task's impressions."""
    figure, axes = _figure(len(curves))
    for axis, (task, bins) in zip(axes, curves.items(), strict=True):
        scores, rates = [b["score"] for b in bins], [b["rate"] for b in bins]
        top = max([*scores, *rates, 1e-6]) * 1.05
        axis.plot([0, top], [0, top], color="0.7", lw=1)
        axis.plot(scores, rates, marker="o")
        axis.set(title=task, xlabel="mean score", ylabel="label rate")
    return _svg(figure)


def gate_curves(written: Mapping[str, Any]) -> str:
    """Gate outputs over AVC buckets (the paper's Fig. 4): of gates with few outputs.

    These are the gates that mix modules: value projections, experts. Of a model without
    such gates the first ones are drawn.
    """
    profile, buckets = profile_from_dict(written)
    mixing = {n: m for n, m in profile.gates.items() if m.shape[1] <= _MIXED_MODULES}
    shown = mixing or dict(list(profile.gates.items())[:_MOST_PANELS])
    figure, axes = _figure(len(shown))
    GateProfile(shown, profile.scales).plot(buckets, "accumulated view count", axes)
    return _svg(figure)


def sensitivity_bars(sensitivities: Mapping[str, Mapping[str, Any]]) -> str:
    """Change of the activations when an input is masked (the paper's Fig. 1b).

    One bar per model and input: the change of all units over their magnitude.
    """
    first = next(iter(sensitivities.values()))["features"]
    names = sorted(first, key=lambda name: -first[name]["relative"])
    figure = Figure(figsize=(2 * _WIDTH, 0.8 + 0.3 * len(names)), layout="constrained")
    axis = figure.subplots()
    changes = {
        model: [100 * values["features"][name]["relative"] for name in names]
        for model, values in sensitivities.items()
    }
    for bars in _grouped_bars(axis, names, changes):
        axis.bar_label(bars, fmt="%.2g", padding=2, fontsize=7)
    axis.set_xlabel("change of the activations, % of their magnitude")
    axis.legend(fontsize=7, loc="lower right")
    return _svg(figure)


def gauc_differences(table: Sequence[GAUCRow], baselines: Sequence[str]) -> str:
    """The model's GAUC less that of each baseline by slice, in percentage points."""
    tasks = list(dict.fromkeys(row.task for row in table))
    figure, axes = _figure(len(tasks))
    for axis, task in zip(axes, tasks, strict=True):
        rows = [r for r in table if r.task == task and r.gauc[MODEL] is not None]
        _grouped_bars(
            axis,
            [row.slice for row in rows],
            {
                f"{model_title(baselines)} - {name}": [
                    points(row.gauc, name) or 0.0 for row in rows
                ]
                for name in baselines
            },
        )
        axis.axvline(0, color="0.3", lw=0.8)
        axis.set(title=task, xlabel="GAUC difference, pp")
    axes[0].legend(fontsize=7)
    return _svg(figure)


def _grouped_bars(
    axis: Any, names: Sequence[str], groups: Mapping[str, Sequence[float]]
) -> list[Any]:
    """One horizontal bar per name and group, names from the top down."""
    thickness = 0.8 / len(groups)
    drawn = []
    for index, (label, values) in enumerate(groups.items()):
        places = np.arange(len(names)) + thickness * (index - (len(groups) - 1) / 2)
        drawn.append(axis.barh(places, values, thickness * 0.9, label=label))
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    return drawn


def _figure(columns: int) -> tuple[Figure, Any]:
    figure = Figure(figsize=(_WIDTH * columns, _HEIGHT), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
