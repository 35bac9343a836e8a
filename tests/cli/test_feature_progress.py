import io

import pytest
from rich.console import Console

from cli.feature_progress import FeatureProgress, print_summary
from preprocessing.checks.counts import LogSummary


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=60)


def test_a_line_per_step_that_is_done(console):
    with FeatureProgress(console) as progress:
        progress.update("read", 1, 2)
        assert console.file.getvalue() == ""
        progress.update("read", 2, 2)
        progress.update("users", 1000, 1000)
    read, users = console.file.getvalue().splitlines()
    assert read.split()[:3] == ["read", "2", "parts"]
    assert users.split()[:3] == ["users", "1,000", "parts"]
    assert progress.seconds >= 0


def test_the_counts_add_up_before_the_reader(console):
    summary = LogSummary(rows_in=5000, examples=4998, by_reason={"[x] is missing": 2})
    print_summary(console, summary, "gs://bucket/out/", 1.25)
    assert console.file.getvalue().splitlines() == [
        "5,000 rows in = 4,998 examples + 2 rejects, in 1.2 s",
        "  rejected 2: [x] is missing",
        "features  gs://bucket/out/features",
        "state     gs://bucket/out/state",
        "rejects   gs://bucket/out/rejects",
    ]
