import datetime
import io
import math

from rich.console import Console

from experiments.arms.findings import MEASURES, Finding
from experiments.arms.tables import print_findings
from experiments.user_bootstrap import Interval

FIRST, SECOND = datetime.date(2022, 5, 2), datetime.date(2022, 5, 3)
GAUC, NEW, AUC = MEASURES
NAN = math.nan


def printed(*findings):
    console = Console(file=io.StringIO(), width=130)
    print_findings(console, "like", [Finding(*of, by_seed=()) for of in findings])
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_every_number_has_its_interval():
    lines = printed(
        ("model with", GAUC, None, Interval(0.63444, 0.6, 0.65)),
        ("model with", NEW, None, Interval(0.7, 0.5, 0.75)),
        ("model with", AUC, None, Interval(0.8, 0.79, 0.81)),
        ("model with - trees with", GAUC, None, Interval(1.234, -0.1, 2.5)),
        ("model with", GAUC, FIRST, Interval(0.61, 0.6, 0.62)),
        ("model with", GAUC, SECOND, Interval(0.62, 0.61, 0.63)),
    )
    assert lines[0] == "like, mean of 2 days [95 % of draws of users]"
    assert lines[1] == "GAUC, all GAUC, new users AUC, all"
    assert lines[2] == (
        "model with 0.6344 [0.6000, 0.6500] 0.7000 [0.5000, 0.7500] "
        "0.8000 [0.7900, 0.8100]"
    )
    assert lines[3] == "model with - trees with +1.23 [-0.10, +2.50] - -"
    assert "like, 2022-05-03 [95 % of draws of users]" in lines
    assert "model with 0.6200 [0.6100, 0.6300] - -" in lines


def test_a_single_day_is_shown_once():
    of_day = ("model with", GAUC, FIRST, Interval(0.61, 0.6, 0.62))
    lines = printed(("model with", GAUC, None, of_day[3]), of_day)
    titles = [line for line in lines if line.startswith("like")]
    assert titles == ["like, 2022-05-02 [95 % of draws of users]"]


def test_a_number_that_there_is_not_is_a_dash():
    lines = printed(
        ("model with", GAUC, FIRST, Interval(0.6, NAN, NAN)),
        ("model with", NEW, FIRST, Interval(NAN, NAN, NAN)),
    )
    assert "model with 0.6000 - -" in lines
