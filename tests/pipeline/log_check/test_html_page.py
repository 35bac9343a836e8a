import re
from xml.etree import ElementTree

from pipeline.log_check.html_page import page
from pipeline.log_check.numbers.days import Day
from pipeline.log_check.plots import day_plots
from tests.helpers.checked_logs import checked, run_config, with_column


def test_the_page_has_plots_and_every_table(clean_check):
    text = page(clean_check)
    assert "This log can be used." in text
    assert "Label rates by user group" in text
    plots = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(plots) == 3
    for plot in plots:
        assert ElementTree.fromstring(plot).findall(".//{*}path")
    assert not re.search(r'(src|href)="http', text)  # nothing comes from elsewhere


def test_what_the_log_holds_is_no_markup(clean, tmp_path):
    users = clean["user_id"].to_pylist()
    users[0:2000] = ["<script>"] * 2000
    likes = [2] * 10 + clean["is_like"].to_pylist()[10:]
    log = with_column(with_column(clean, "user_id", users), "is_like", likes)
    text = page(checked(log, tmp_path, run_config()))
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


def test_a_log_of_which_nothing_is_left_has_a_page(clean, tmp_path):
    log = with_column(clean, "event_time_ms", [5] * clean.num_rows)
    log = with_column(log, "is_like", [7] * clean.num_rows)
    found = checked(log, tmp_path, run_config())
    text = page(found)
    assert "cannot be used" in text
    assert "is_like is not 0 or 1" in text


def test_a_log_of_years_does_not_make_a_page_of_bars(clean_check):
    days = [Day(19_000 + place, 10, 4, 2, 1, 5) for place in range(1000)]
    few = day_plots(days[:100], "UTC", [1] * 24)
    many = day_plots(days, "UTC", [1] * 24)
    assert len(many) < 2 * len(few)
    ElementTree.fromstring(many)
