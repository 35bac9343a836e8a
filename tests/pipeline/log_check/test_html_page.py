import re
from xml.etree import ElementTree

from pipeline.log_check.html_page import page
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
