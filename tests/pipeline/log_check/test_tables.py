from dataclasses import replace

import pyarrow as pa

from pipeline.log_check.numbers.days import Day
from pipeline.log_check.tables.all_tables import number_tables
from pipeline.log_check.tables.contents import columns_table
from pipeline.log_check.tables.days import days_table
from pipeline.log_check.tables.learning import groups_table, judged_table
from tests.helpers.checked_logs import checked, run_config, with_column

FIRST = 19_000  # 2022-01-08


def of_days(clean_check, count, by):
    days = [Day(FIRST + place, 10, 4, 2, 1, 5) for place in range(count)]
    numbers = replace(clean_check.numbers, days=days)
    config = run_config(split={"by": by})
    return days_table(replace(clean_check, numbers=numbers, config=config)).rows


def test_days_are_shown_one_by_one_and_long_before_by_month(clean_check):
    rows = of_days(clean_check, 100, "day")
    assert rows[0] == ("2022-01", "", "240", "50.0 %", "", "48", "24")
    assert [row[0] for row in rows[:3]] == ["2022-01", "2022-02", "2022-03"]
    assert len(rows) == 3 + 40
    assert rows[-1][0] == "2022-04-17"


def test_a_long_log_that_is_not_split_by_day_is_shown_by_month(clean_check):
    assert len(of_days(clean_check, 100, "user")) == 4
    assert len(of_days(clean_check, 20, "user")) == 20


def test_columns_that_are_not_there_are_named_together(clean, tmp_path):
    log = with_column(clean, "author_id", pa.nulls(clean.num_rows, pa.string()))
    table = columns_table(checked(log, tmp_path, run_config()).numbers)
    assert "author_id" not in [row[0] for row in table.rows]
    assert table.note.endswith("not under this name: author_id.")


def test_too_few_users_come_with_the_days_that_would_do(clean_check):
    (scored,) = {
        each.scored
        for each in clean_check.numbers.split.slices
        if (each.slice, each.task) == ("all", "like")
    }
    config = run_config(evaluation={"min_scored_users": 3 * scored})
    table = judged_table(replace(clean_check, config=config))
    assert table.rows[0][2] == f"{scored:,} (3 days)"
    assert judged_table(clean_check).rows[0][2] == f"{scored:,}"


def test_every_row_has_a_cell_for_each_column(clean_check):
    tables = list(number_tables(clean_check))
    assert len(tables) == 8
    for table in tables:
        assert {len(row) for row in table.rows} == {len(table.columns)}, table.title


def test_rates_are_of_the_known_labels(clean_check):
    like = clean_check.numbers.groups["all"].labels["like"]
    shown = groups_table(clean_check.numbers).rows[0][5]
    assert shown == f"{100 * like.positives / like.known:.2f} %"
