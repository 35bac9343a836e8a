import errno

import click
import pytest

from cli.out_folder import (
    FolderInUse,
    check_features_output,
    check_written_apart,
    held_folder,
)
from preprocessing.storage.overlap import Place, whole


def test_the_option_and_the_file_in_the_way_are_named(tmp_path):
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "extract.py").touch()
    with pytest.raises(click.ClickException) as caught:
        check_features_output(str(tmp_path))
    message = caught.value.message
    assert message.startswith(f"--out {tmp_path}: {tmp_path}/features/extract.py")
    assert "Choose another folder" in message
    assert "\n" not in message


def test_a_folder_is_held_while_it_is_written_to(tmp_path):
    out = tmp_path / "out"
    with (
        held_folder("--out", out),
        pytest.raises(click.ClickException, match="out is in use by another"),
        held_folder("--out", out),
    ):
        pass
    with held_folder("--out", out):
        pass


def test_a_command_is_named_to_those_who_want_its_folder(tmp_path):
    command = click.Command("run")
    with click.Context(command, info_name="poso run"), held_folder("--out", tmp_path):
        refused = pytest.raises(FolderInUse, match=r"in use by poso run \(process")
        with refused, held_folder("--out", tmp_path):
            pass


def test_what_cannot_be_a_folder_or_is_full_is_one_line(tmp_path):
    (tmp_path / "taken").touch()
    with (
        pytest.raises(click.ClickException, match=r"--out .*taken cannot be written"),
        held_folder("--out", tmp_path / "taken"),
    ):
        pass
    with (
        pytest.raises(click.ClickException, match="No space left on device"),
        held_folder("--out", tmp_path / "out"),
    ):
        raise OSError(errno.ENOSPC, "full")


def test_places_that_overlap_are_named_with_their_options(tmp_path):
    written = Place("--out", "runs", (f"{tmp_path}/log/a",))
    check_written_apart(written, whole("--data", f"{tmp_path}/other"))
    with pytest.raises(click.ClickException, match=r"--out runs: .* --data"):
        check_written_apart(
            written,
            whole("--data", f"{tmp_path}/other"),
            whole("--data", f"{tmp_path}/log"),
        )
