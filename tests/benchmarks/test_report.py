import io

import pytest
from rich.console import Console

from benchmarks.interleaved import Spread
from benchmarks.report import Report, Row, number_row, print_report, summary

FASTER = Row("faster", Spread(2.5, 2.0, 3.0), target=2.0)
SLOWER = Row("slower", Spread(1.5, 1.4, 1.6), target=2.0)
COST = number_row("cost", 1.2, 1.1, at_least=False)
CHEAP = number_row("cheap", 1.05, 1.1, at_least=False)
NOTE = number_row("told", 7.0)


@pytest.mark.parametrize(
    ("row", "met"),
    [(FASTER, True), (SLOWER, False), (COST, False), (CHEAP, True), (NOTE, None)],
)
def test_the_median_decides_in_the_direction_of_the_target(row, met):
    assert row.met is met


def test_a_missed_target_is_marked():
    report = Report("title", [FASTER, SLOWER, NOTE], ["a note"], {"threads": 1})
    out = io.StringIO()
    print_report(report, Console(file=out, width=100))
    lines = {
        name: line for line in out.getvalue().splitlines() for name in line.split()
    }
    assert "MISSED" in lines["slower"]
    assert "MISSED" not in lines["faster"]
    assert "yes" in lines["faster"]
    assert "MISSED" not in lines["told"]
    assert summary([report]) == "1 of 2 targets met; missed: slower"


def test_a_report_survives_its_file(tmp_path):
    report = Report("title", [FASTER, COST, NOTE], ["a note"], {"threads": 1})
    report.write(tmp_path / "new" / "report.json")
    assert Report.read(tmp_path / "new" / "report.json") == report
