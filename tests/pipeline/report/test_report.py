"""The report of a made-up run: two models whose scores are given, not computed."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from pipeline.evaluation.scores import score_split
from pipeline.report import report
from pipeline.report.files import METRICS_FILE, PAGE_FILE
from pipeline.report.plots import calibration_curves
from pipeline.report.report import ReportInputs, make_report
from poso_keras import gauc
from tests.helpers.small_transform import analyzed_rows, feature_row, write_examples

TASKS = ("long_view", "like")
MISSING = "\N{EN DASH}"
EPOCHS = {"mean_loss": [0.7, 0.6], "val_mean_loss": [0.72, 0.65]}
HISTORY = {**EPOCHS, "val_long_view_gauc": [0.5, 0.6], "val_like_gauc": [0.5, 0.4]}
GATES = {
    "model": {
        "buckets": ["<1", "1+", "4+"],
        "gates": {
            "tags_attention/module_gate": [[1.0, 0.5], [1.0, 1.0], [0.0, 2.0]],
            "tower/gate": [[1.0] * 9] * 3,
        },
        "starts": {
            "tags_attention/module_gate": [[1.0, 1.0]] * 3,
            "tower/gate": [[0.9] * 9, [1.0] * 9, [1.1] * 9],
        },
        "scales": {"tags_attention/module_gate": 2.0, "tower/gate": 2.0},
    },
    "control": {
        "buckets": ["<1", "1+", "4+"],
        "gates": {"tower/gate": [[1.5] * 9] * 3},
        "starts": {"tower/gate": [[1.0] * 9] * 3},
        "scales": {"tower/gate": 2.0},
    },
}
SENSITIVITIES = {
    name: {
        "rows": 2,
        "blocks": [["mlp", 1]],
        "magnitude": [2.0],
        "features": {
            "avc": {"relative": change, "rows_changed": 1.0, "change": [2 * change]},
            "is_new_user": {"relative": 0.0, "rows_changed": 0.0, "change": [0.0]},
        },
    }
    for name, change in (("model", 0.25), ("plain", 0.03125))
}
DATA = {
    "rows_in": 1300,
    "examples": 1234,
    "rejects": 66,
    "outside_splits": 4,
    "by_reason": {"duplicate": 60, "negative <play_time_ms>": 6},
    "days": {"2022-04-15": 1230, "2022-04-16": 4},
    "splits": {"2022-04-15": "train"},
}


def eval_rows():
    """Of many users, and one group of users that no GAUC can be computed for."""
    rng = np.random.default_rng(6)
    rows = [
        feature_row(
            user_id=f"u{i % 7}",
            video_id=f"v{i % 6}",
            user_group=("regular", "new")[i % 7 % 2],
            is_new_video=int(i % 3 == 0),
            long_view=int(rng.integers(2)),
            like=int(rng.integers(2)),
        )
        for i in range(60)
    ]
    return [*rows, feature_row(user_id="back", user_group="returning")]


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(7)
    rows = eval_rows()
    return {
        "model": {t: [(r[t] + rng.random() * 2) / 3 for r in rows] for t in TASKS},
        "plain": {t: rng.random(len(rows)).tolist() for t in TASKS},
        "control": {t: rng.random(len(rows)).tolist() for t in TASKS},
    }


@pytest.fixture(scope="module")
def splits(small_transform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("splits")
    write_examples(small_transform.examples(eval_rows()), folder / "eval")
    return {"train_dir": small_transform.split_dir, "eval_dir": str(folder / "eval")}


@pytest.fixture
def make(monkeypatch, splits, scores, small_transform, tmp_path):
    """Makes a report of the named models; returns metrics and page."""

    def score_with_given(model_dirs, split_dir, tasks):
        rows, _ = score_split({}, split_dir, tasks)
        given = {name: scores[place] for name, place in model_dirs.items()}
        return rows, {
            name: {task: np.array(values) for task, values in by_task.items()}
            for name, by_task in given.items()
        }

    monkeypatch.setattr(report, "score_split", score_with_given)

    def make(*models, config=small_transform.config, **files):
        run = ReportInputs(
            **splits,
            model_dirs={name: name for name in models},
            histories=dict.fromkeys(models, HISTORY),
            **files,
        )
        returned = make_report(config, run, str(tmp_path / "report"))
        text = (tmp_path / "report" / METRICS_FILE).read_text()
        assert json.loads(text, parse_constant=pytest.fail) == json.loads(
            json.dumps(returned)
        )
        return returned, (tmp_path / "report" / PAGE_FILE).read_text()

    return make


def plots(page):
    return [
        ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.S)
    ]


def cells(page):
    """Texts of the GAUC table's rows."""
    table = page[page.index("<table>") : page.index("</table>")]
    rows = re.findall(r"<tr.*?</tr>", table, re.S)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]


def test_the_numbers(make, scores):
    metrics, _ = make("model", "plain", blessed=True, data=DATA)
    rows = eval_rows()
    assert metrics["name"] == "small"
    assert metrics["blessed"] is True
    assert metrics["data"] == DATA
    assert metrics["train_impressions"] == len(analyzed_rows())
    assert metrics["eval_impressions"] == len(rows)
    table = {(row["task"], row["slice"]): row for row in metrics["gauc"]}
    users = [row["user_id"] for row in rows]
    for task in TASKS:
        labels = [row[task] for row in rows]
        for name in ("model", "plain"):
            expected = gauc(labels, scores[name][task], users).value
            assert table[task, "all"]["gauc"][name] == pytest.approx(expected)
    assert "popularity" in table["long_view", "all"]["gauc"]
    assert "popularity" not in table["like", "all"]["gauc"]
    assert table["like", "returning"]["gauc"] == {"model": None, "plain": None}
    for task in TASKS:
        counted = sum(part["impressions"] for part in metrics["calibration"][task])
        assert counted == len(rows)


def test_popularity_ranks_by_the_training_splits_rates(make):
    metrics, _ = make("model")
    past, rows = analyzed_rows(), eval_rows()
    mean = np.mean([row["long_view"] for row in past])
    rates = []
    for row in rows:
        labels = [p["long_view"] for p in past if p["video_id"] == row["video_id"]]
        rates.append((sum(labels) + 20 * mean) / (len(labels) + 20))
    expected = gauc(
        [row["long_view"] for row in rows], rates, [row["user_id"] for row in rows]
    ).value
    assert metrics["gauc"][0]["gauc"]["popularity"] == pytest.approx(expected)


def test_the_pages_table_shows_the_numbers(make):
    metrics, page = make("model", "plain", blessed=True)
    header, *rows = cells(page)
    assert header[-4:] == ["plain", "POSO", "POSO - plain, pp", "popularity"]
    assert len(rows) == len(metrics["gauc"])
    for shown, row in zip(rows, metrics["gauc"], strict=True):
        assert shown[:4] == [
            row["task"],
            row["slice"],
            str(row["impressions"]),
            str(row["users_scored"]),
        ]
        model, plain = row["gauc"]["model"], row["gauc"]["plain"]
        if model is None:
            assert shown[4:] == [MISSING, MISSING, MISSING, MISSING]
            continue
        difference = f"{100 * (model - plain):+.2f}"
        assert shown[4:7] == [f"{plain:.4f}", f"{model:.4f}", difference]
        assert (shown[7] == MISSING) == ("popularity" not in row["gauc"])
    assert "<strong>blessed</strong>" in page


def test_a_control_has_its_column_and_shows_what_personalization_gains(make):
    metrics, page = make("model", "plain", "control")
    header, *rows = cells(page)
    assert header[4:] == [
        *("plain", "control", "POSO", "POSO - plain, pp", "personalization, pp"),
        "popularity",
    ]
    for shown, row in zip(rows, metrics["gauc"], strict=True):
        gauc = row["gauc"]
        if gauc["model"] is None:
            assert set(shown[4:]) == {MISSING}
            continue
        assert shown[5] == f"{gauc['control']:.4f}"
        assert shown[8] == f"{100 * (gauc['model'] - gauc['control']):+.2f}"
    assert "the same gates, fed a constant code" in page
    assert len(plots(page)) == 3
    assert all(f"POSO - {name}" in page for name in ("plain", "control"))


def test_the_page_has_every_plot_and_no_nan(make):
    metrics, page = make(
        "model",
        "plain",
        gates=GATES,
        sensitivities=SENSITIVITIES,
        data=DATA,
        blessed=False,
    )
    assert len(plots(page)) == 5
    assert metrics["sensitivity"]["plain"] == {"avc": 0.03125, "is_new_user": 0.0}
    assert "What the model listens to" in page
    assert not re.search(r"\bnan\b", page.rpartition("<pre>")[0], re.IGNORECASE)
    assert "1,300 rows in" in page
    assert "Gates over the accumulated view count" in page
    assert "<strong>not blessed</strong>" in page


def test_every_gate_of_every_model_has_its_numbers(make):
    """Shares of the scale 2; the numbers are computed by hand."""
    metrics, page = make("model", "plain", "control", gates=GATES)
    mixing, tower = metrics["gates"]["model"]
    assert mixing["gate"] == "tags_attention/module_gate"
    assert mixing["units"] == 2
    # Shares 0.5 0.25, 0.5 0.5, 0 1 started at 0.5.
    assert mixing["moved"] == pytest.approx((0.25 + 0.5 + 0.5) / 6)
    deviations = [np.std([0.5, 0.5, 0.0]), np.std([0.25, 0.5, 1.0])]
    assert mixing["between_codes"] == pytest.approx(np.mean(deviations))
    assert mixing["between_codes_at_start"] == 0.0
    assert tower["moved"] == pytest.approx(0.1 / 3)
    assert tower["between_codes"] == tower["between_units_at_start"] == 0.0
    assert tower["between_codes_at_start"] == pytest.approx(np.std([0.45, 0.5, 0.55]))
    [control] = metrics["gates"]["control"]
    assert control["moved"] == pytest.approx(0.25)
    table = page[page.index("<th>gate</th>") :]
    rows = re.findall(r"<tr.*?</tr>", table[: table.index("</table>")], re.S)
    shown = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    assert [row[:4] for row in shown] == [
        ["POSO", "tags_attention/module_gate", "2", f"{mixing['moved']:.3f}"],
        ["POSO", "tower/gate", "9", "0.033"],
        ["control", "tower/gate", "9", "0.250"],
    ]


def test_fig_4_is_of_the_gates_that_mix_modules_or_else_of_the_first(make):
    _, page = make("model", gates=GATES)
    assert page.count("<!-- tags_attention/module_gate -->") == 1
    assert page.count("<!-- tower/gate -->") == 0
    _, page = make("model", gates={"model": GATES["control"]})
    assert page.count("<!-- tower/gate -->") == 1


def test_a_run_without_a_baseline_or_gates_leaves_them_out(make):
    metrics, page = make("model")
    assert len(plots(page)) == 2
    assert "Difference to the baselines" not in page
    assert "control" not in page.rpartition("<pre>")[0]
    assert "Gates over" not in page
    assert "listens to" not in page
    assert metrics["sensitivity"] == {}
    assert metrics["gates"] == {}
    assert cells(page)[0][-2:] == ["model", "popularity"]
    assert all("plain" not in row["gauc"] for row in metrics["gauc"])


def test_a_model_that_nobody_judged_is_neither_blessed_nor_not(make):
    metrics, page = make("model")
    assert metrics["blessed"] is None
    assert "<strong>not judged</strong>" in page


def test_what_comes_from_outside_is_escaped(make):
    script = "eval: user_group: <script>alert('x')</script> & more"
    metrics, page = make("model", anomalies=[script], data=DATA)
    assert metrics["anomalies"] == [script]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "negative &lt;play_time_ms&gt;" in page


def test_the_page_says_that_there_are_no_anomalies(make):
    assert "No anomalies against the schema." in make("model")[1]


def test_the_worst_drift_is_on_the_page_and_all_of_it_in_the_numbers(make):
    distances = [0.5, *(0.1 - i / 1000 for i in range(20))]
    measures = ["l_infinity", "jensen_shannon", "missing"]
    features = [
        {
            "split": "eval",
            "feature": f"column_{i}",
            "measure": measures[i % 3],
            "distance": distance,
            "threshold": 0.2,
            "compared_with": ["previous", "serving"][i % 2],
            "above": distance > 0.2,
        }
        for i, distance in enumerate(distances)
    ]
    drift = {
        "previous": "StatisticsGen/statistics/7",
        "serving": {"logs": "request-log", "requests": 50, "candidates": 1234}
        | {"notes": ["3 requests are of other models"]},
        "features": features,
    }
    metrics, page = make("model", drift=drift)
    assert metrics["drift"] == drift
    assert "StatisticsGen/statistics/7" in page
    assert "15 worst of\n21 distances" in page
    assert "1,234 candidates of\n50 logged requests\n(request-log)" in page
    assert metrics["notes"] == ["3 requests are of other models"]
    cells = r"<td>(column_\d+)</td><td>(\w+)</td>"
    rows = re.findall(rf'<tr class="(.*?)">{cells}', page)
    assert rows == [
        ("" if i else "down", f"column_{i}", ["previous", "serving"][i % 2])
        for i in range(15)
    ]
    assert page.count("(above)") == 1
    assert "No anomalies against the schema, and no drift." in page


def test_without_requests_the_page_says_so_and_has_no_drift(make):
    note = "drift.serving.logs: there is no folder logs: the examples were not compared"
    serving = {"logs": "logs", "requests": 0, "candidates": 0, "notes": [note]}
    drift = {"previous": None, "serving": serving, "features": []}
    metrics, page = make("model", drift=drift)
    assert metrics["notes"] == [note]
    assert note in page
    assert "No anomalies against the schema." in page
    assert "<h2>Drift</h2>" not in page


def test_without_earlier_statistics_the_page_has_no_drift(make):
    metrics, page = make("model")
    assert metrics["drift"] == {}
    assert "Drift" not in page.rpartition("<pre>")[0]


def test_the_page_holds_the_configuration(make):
    assert "bucket_embedding_dim: 2" in make("model")[1]


def test_a_task_of_unknown_labels_has_an_empty_calibration_plot():
    bins = [{"score": 0.2, "rate": 0.25, "impressions": 9}]
    svg = calibration_curves({"like": [], "long_view": bins})
    ElementTree.fromstring(svg)
    assert svg.count("mean score") == 2
    assert not re.search(r"\bnan\b", svg)


def test_the_page_says_what_the_statistics_are_of(make):
    assert "held against the schema" not in make("model")[1]
    splits = {
        "train": {"described": 1000, "examples": 12345},
        "eval": {"described": 9, "examples": 9},
    }
    sample = {"splits": splits, "left_out": ["history_tags", "history_gap_ms"]}
    metrics, page = make("model", statistics=sample)
    assert metrics["statistics"] == sample
    assert (
        "statistics of 1,000 of 12,345 examples of train, 9 of 9 examples of eval, "
        "without history_tags, history_gap_ms."
    ) in " ".join(page.split())
