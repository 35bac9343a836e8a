"""The report of a run: `index.html` to look at, `metrics.json` to compute with."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jinja2
import tensorflow as tf

from pipeline.config import RunConfig, dump_config
from pipeline.evaluation.gauc_table import GAUCRow, calibration, gauc_table
from pipeline.evaluation.rankings import (
    MODEL,
    POPULARITY,
    baselines_of,
    model_title,
    points,
)
from pipeline.evaluation.scores import (
    count_videos,
    popularity_scores,
    score_split,
)
from pipeline.report import plots as report_plots
from pipeline.report.files import METRICS_FILE, PAGE_FILE
from pipeline.report.gate_numbers import gate_tables
from pipeline.report.notes import task_notes

_WORST_FEATURES = 15  # on the page; all distances are in the numbers


@dataclass(frozen=True)
class ReportInputs:
    """What a run left behind.

    Attributes:
        train_dir: Raw examples that were trained on.
        eval_dir: Raw examples to evaluate on.
        model_dirs: SavedModels, by ranking name (`model`, `plain`, `control`).
        histories: Learning curves, by ranking name.
        gates: Of each model with gates their outputs over AVC buckets, as
            `gate_profiles` writes them, by ranking name.
        sensitivities: What each model listens to, by ranking name, or empty.
        anomalies: What ExampleValidator found, one line per anomaly.
        drift: How far features are from the statistics of an earlier run and from
            logged requests, as `ExampleValidator` writes it; empty where there was
            neither.
        statistics: Which examples and columns were held against the schema, as
            `StatisticsGen` writes it; empty where all were.
        blessed: Whether Evaluator blessed the model; None where it was not asked.
        comparison: What was not compared with the last blessed model, one line each.
        data: The feature engine's summary: rows in, examples, rejects.
        serving_trial: The result of the trial in a server, or empty without one:
            `passed` and, of the embedded server's, the fields of `TrialResult`.
    """

    train_dir: str
    eval_dir: str
    model_dirs: Mapping[str, str]
    histories: Mapping[str, Mapping[str, list[float]]]
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sensitivities: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    anomalies: list[str] = field(default_factory=list)
    drift: Mapping[str, Any] = field(default_factory=dict)
    statistics: Mapping[str, Any] = field(default_factory=dict)
    blessed: bool | None = None
    comparison: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    serving_trial: Mapping[str, Any] = field(default_factory=dict)


def make_report(config: RunConfig, inputs: ReportInputs, folder: str) -> dict[str, Any]:
    """Scores the evaluation split, writes the page and the numbers, returns these."""
    tasks = config.task_names
    popular = config.popularity_task
    past = count_videos(inputs.train_dir, popular, tasks)
    rows, rankings = score_split(inputs.model_dirs, inputs.eval_dir, tasks)
    rankings[POPULARITY] = {popular: popularity_scores(past, rows)}
    table = gauc_table(rows, rankings, config.evaluation.weighting)
    curves = {
        task: calibration(rows.labels[task], rankings[MODEL][task]) for task in tasks
    }
    metrics = {
        "name": config.name,
        "train_impressions": past.rows,
        "eval_impressions": len(rows),
        "data": dict(inputs.data),
        "blessed": inputs.blessed,
        "serving_trial": dict(inputs.serving_trial),
        "anomalies": inputs.anomalies,
        "drift": dict(inputs.drift),
        "statistics": dict(inputs.statistics),
        "notes": [
            *inputs.comparison,
            *((inputs.drift.get("serving") or {}).get("notes", [])),
            *task_notes(past, rows, table),
        ],
        "min_scored_users": config.evaluation.min_scored_users,
        "gauc": [row.as_dict() for row in table],
        "calibration": curves,
        "sensitivity": _relative(inputs.sensitivities),
        "gates": gate_tables(inputs.gates),
    }
    tf.io.gfile.makedirs(folder)
    _write(os.path.join(folder, METRICS_FILE), json.dumps(metrics, indent=1))
    page = _page(config, inputs, metrics, table, curves)
    _write(os.path.join(folder, PAGE_FILE), page)
    return metrics


def _relative(
    sensitivities: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, float]]:
    """Each input's relative change of the activations, by ranking name."""
    return {
        name: {n: feature["relative"] for n, feature in values["features"].items()}
        for name, values in sensitivities.items()
    }


def _page(
    config: RunConfig,
    inputs: ReportInputs,
    metrics: Mapping[str, Any],
    table: list[GAUCRow],
    curves: Mapping[str, list[dict[str, float]]],
) -> str:
    baselines = baselines_of(inputs.model_dirs)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("pipeline.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        config=config,
        config_yaml=dump_config(config),
        made=datetime.datetime.now(datetime.timezone.utc).strftime(
            "%Y-%m-%d %H:%M UTC"
        ),
        metrics=metrics,
        table=table,
        worst_drift=inputs.drift.get("features", [])[:_WORST_FEATURES],
        baselines=baselines,
        model_title=model_title(baselines),
        points=points,
        learning_curves=report_plots.learning_curves(
            inputs.histories, config.task_names
        ),
        calibration=report_plots.calibration_curves(curves),
        gates=report_plots.gate_curves(inputs.gates[MODEL])
        if MODEL in inputs.gates
        else "",
        sensitivities=report_plots.sensitivity_bars(inputs.sensitivities)
        if inputs.sensitivities
        else "",
        differences=report_plots.gauc_differences(table, baselines)
        if baselines
        else "",
    )


def _write(path: str, text: str) -> None:
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(text)
