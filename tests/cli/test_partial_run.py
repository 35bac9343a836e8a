"""`poso run` up to a component, from a state and from a feature table."""

import json

import pytest
from click.testing import CliRunner

from cli.main import main
from tests.helpers.small_run import SETS, poso, printed_by

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def made(tmp_path_factory, pytestconfig):
    """A small log, its feature table, and the command that runs on them."""
    folder = tmp_path_factory.mktemp("made")
    config = pytestconfig.rootpath / "configs" / "demo.yaml"
    printed_by("simulate", "--out", folder / "log", "--users", 100)
    printed_by(
        "features", "--config", config, "--data", folder / "log", "--out", folder / "t"
    )
    end = ("--until", "ImpressionExampleGen", "--config", config, *SETS)
    return folder, ("run", *end)


def summary(out):
    [path] = (out / "pipeline").glob("ImpressionExampleGen/examples/*/log_summary.json")
    return json.loads(path.read_text())


def test_a_feature_table_stands_for_a_log(made):
    folder, run = made
    table, log = folder / "from-table", folder / "from-log"
    printed = printed_by(*run, "--features", folder / "t", "--out", table)
    assert "[ 1/1] ImpressionExampleGen" in printed
    assert f"ImpressionExampleGen examples: {table}" in printed
    printed_by(*run, "--data", folder / "log", "--out", log)
    assert summary(table) == summary(log)
    names = sorted(path.name for path in (log / "pipeline").rglob("Split-*/*.gz"))
    assert names == sorted(p.name for p in (table / "pipeline").rglob("Split-*/*.gz"))
    again = printed_by(
        *run, "--features", folder / "t", "--out", table, "--from=ImpressionExampleGen"
    )
    assert "rows in" in again
    assert len(list((table / "pipeline").glob("ImpressionExampleGen/examples/*"))) == 2


def test_a_run_of_what_has_not_changed_ends_at_once(made):
    folder, run = made
    out = folder / "twice"
    places = ("--data", folder / "log", "--out", out)
    first = printed_by(*run, *places)
    second = printed_by(*run, *places)
    assert "nothing has changed since the run" in second
    assert "starting TensorFlow" not in second
    place = f"ImpressionExampleGen examples: {out}"
    assert place in first
    assert place in second
    changed = printed_by(*run, *places, "--set", "features.history_length=7")
    assert "starting TensorFlow" in changed


def test_a_log_that_its_state_knows_is_late(made):
    folder, run = made
    out = folder / "late"
    late = poso(*run, "--data", folder / "log", "--state", folder / "t", "--out", out)
    assert late.returncode == 1
    assert "event_time_ms is not after the state's last impression" in late.stderr


def test_what_cannot_be_combined_is_refused_at_once(made):
    folder, run = made

    def refused(*options):
        result = CliRunner().invoke(main, [*map(str, run), *map(str, options)])
        assert result.exit_code
        return result.output

    assert "give one of --data and --features" in refused()
    both = ("--data", folder / "log", "--features", folder / "t")
    assert "give one of --data and --features" in refused(*both)
    state = ("--features", folder / "t", "--state", folder / "t")
    assert "--state is for --data" in refused(*state)
    other = ("--features", folder / "t", "--set", "features.history_length=7")
    assert "features.history_length by default, not 7" in refused(*other)
    assert "holds no state" in refused("--data", folder, "--state", folder / "log")
