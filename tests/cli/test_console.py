import io
import os

import click
import pytest
from rich.console import Console

from cli.console import (
    ComponentProgress,
    display_path,
    error_message,
    library_output_to,
    progress_bar,
)
from pipeline.progress import LiveProgress, is_watched, report_live, report_progress


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


PROGRESS = LiveProgress("model: epoch 1/2", 50, 200, ("70 examples/s", "loss 0.5"))


def shown(progress):
    console = Console(file=io.StringIO(), width=100, force_terminal=True, no_color=True)
    console.print(progress_bar(progress))
    return console.file.getvalue()


def test_a_bar_is_as_long_as_what_is_done():
    line = shown(PROGRESS)
    assert line.startswith("model: epoch 1/2 ")
    assert line.rstrip().endswith("70 examples/s, loss 0.5")
    full = shown(LiveProgress("model", 200, 200))
    assert (line.count("━"), full.count("━")) == (3, 12)


@pytest.mark.parametrize(
    ("is_terminal", "kind", "terminal"),
    [(True, "xterm", True), (True, "dumb", False), (False, "xterm", False)],
)
def test_what_happens_in_place_is_for_terminals_alone(
    is_terminal, kind, terminal, monkeypatch
):
    monkeypatch.setenv("TERM", kind)
    console = Console(
        file=io.StringIO(), width=100, force_terminal=is_terminal, highlight=False
    )
    progress = ComponentProgress(console, 3)
    assert not is_watched()
    with progress.listening():
        assert is_watched() == terminal
        progress._status.start()
        report_live(PROGRESS)
        progress._status.stop()
        report_live(None)
        report_progress("model: epoch 1/2, loss 0.5")
    assert not is_watched()
    output = console.file.getvalue()
    assert ("70 examples/s" in output) == terminal
    assert "model: epoch 1/2, loss 0.5" in output
