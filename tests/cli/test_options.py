from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli import options


@pytest.fixture
def invoke():
    """Runs a command that has the options; returns what it was given, or its error."""

    def run(some, *arguments):
        given = {}

        def command(**values):
            given.update(values)

        for option in reversed(some):
            command = option(command)
        result = CliRunner().invoke(click.command()(command), [*map(str, arguments)])
        return given if result.exit_code == 0 else result.output

    return run


def test_repeated_options_arrive_in_order_under_the_names_that_commands_use(invoke):
    some = [
        options.config_option("File."),
        options.data_option("Log."),
        options.out_option("Folder."),
        options.set_option("a.b=1"),
        options.beam_option("For Beam", "--runner=X"),
    ]
    given = invoke(
        some,
        *("--config", __file__, "--data", "gs://log", "--out", "runs"),
        *("--set", "a=1", "--set", "b=2", "--beam-arg=--runner=X"),
    )
    assert given == {
        "config_file": Path(__file__),
        "data_dir": "gs://log",
        "out": Path("runs"),
        "overrides": ("a=1", "b=2"),
        "beam_args": ("--runner=X",),
    }


def test_help_has_the_commands_own_words_and_example(invoke):
    some = [options.set_option("training.epochs=3"), options.data_option("The log.")]
    help_text = invoke(some, "--nothing")
    assert "No such option" in help_text
    command = click.command()(some[0](some[1](lambda **_: None)))
    text = CliRunner().invoke(command, ["--help"]).output
    assert "--set training.epochs=3. Repeatable." in " ".join(text.split())
    assert "The log.  [required]" in text


def test_a_configuration_must_be_a_file(invoke, tmp_path):
    assert "is a directory" in invoke(
        [options.config_option("x")], "--config", tmp_path
    )
    missing = invoke([options.config_option("x")], "--config", tmp_path / "none.yaml")
    assert "does not exist" in missing


def test_reads_a_configuration_with_overrides(pytestconfig):
    demo = pytestconfig.rootpath / "configs" / "demo.yaml"
    assert options.read_config(demo, ["training.epochs=7"]).training.epochs == 7
    with pytest.raises(click.ClickException, match="did you mean 'epochs'"):
        options.read_config(demo, ["training.epoch=7"])


@pytest.mark.parametrize(
    "option",
    [
        options.data_option("Log."),
        options.out_option("Folder."),
        options.out_option("Folder or URI.", type=options.PLACE),
        click.option("--output", type=options.NEW_FILE),
        options.config_option("File."),
    ],
)
def test_an_empty_place_is_refused_not_taken_for_the_working_folder(invoke, option):
    name = click.command()(option(lambda: None)).params[0].opts[0]
    assert f"Invalid value for '{name}': it is empty" in invoke([option], name, "")


@pytest.mark.parametrize("uri", ["s3://bucket/log", "file:///log"])
@pytest.mark.parametrize("kind", [options.FOLDER, options.NEW_FILE])
def test_a_uri_is_no_path(invoke, kind, uri):
    option = click.option("--out", type=kind)
    assert "must be a path of this machine" in invoke([option], "--out", uri)


@pytest.mark.parametrize("uri", ["gs://", "file:///", "s3:////"])
def test_a_scheme_alone_is_no_place(invoke, uri):
    option = options.data_option("Log.")
    assert "names no bucket and no folder" in invoke([option], "--data", uri)
    assert invoke([option], "--data", f"{uri}b") == {"data_dir": f"{uri}b"}
