import os

import click
import pytest

from cli.console import display_path, error_message, library_output_to


def test_a_path_in_the_working_folder_is_shown_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert display_path(tmp_path / "runs" / "demo") == "runs/demo"
    assert display_path(tmp_path.parent / "other") == str(tmp_path.parent / "other")


def test_a_message_is_without_the_step_that_beam_adds():
    error = ValueError("no such column [while running 'Read/ParDo']")
    assert error_message(error) == "no such column"
    assert error_message(KeyError("a")) == "KeyError: 'a'"
    assert error_message(OSError()) == "OSError"


def test_libraries_write_to_the_log_and_we_to_the_terminal(tmp_path, capfd):
    log = tmp_path / "new" / "run.log"
    with library_output_to(log) as console:
        os.write(1, b"from C++\n")
        console.print("ours")
    assert capfd.readouterr().out == "ours\n"
    assert log.read_text() == "from C++\n"
    os.write(1, b"after\n")
    assert capfd.readouterr().out == "after\n"


def test_an_error_is_a_line_and_its_story_is_in_the_log(tmp_path, capfd):
    log = tmp_path / "run.log"
    with (
        pytest.raises(click.ClickException) as raised,
        library_output_to(log),
    ):
        raise RuntimeError("broken")
    assert raised.value.message == f"RuntimeError: broken\nDetails: {log}"
    assert "Traceback" in log.read_text()
    with pytest.raises(click.UsageError), library_output_to(log):
        raise click.UsageError("as it is")
