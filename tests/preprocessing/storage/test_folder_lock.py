import errno
import subprocess
import sys

import pytest

from preprocessing.storage.folder_lock import (
    LOCK_FILE,
    FolderInUseError,
    hold_folder,
    holder_of,
    share_folder,
)

HOLDER = """
import sys
from preprocessing.storage.folder_lock import hold_folder
with hold_folder(sys.argv[1], "poso run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_held_by_one_and_free_again_afterwards(tmp_path):
    place = tmp_path / "new" / "out"
    with hold_folder(place):
        with pytest.raises(FolderInUseError, match="out is in use"), hold_folder(place):
            pass
        with hold_folder(tmp_path / "other"):
            pass
    with hold_folder(place):
        pass


def test_who_let_go_is_not_named_again(tmp_path):
    with hold_folder(tmp_path, "poso run"):
        assert (tmp_path / LOCK_FILE).read_text()
    assert not (tmp_path / LOCK_FILE).read_text()


def test_an_error_in_the_block_lets_go(tmp_path):
    with pytest.raises(KeyError), hold_folder(tmp_path):
        raise KeyError
    with hold_folder(tmp_path):
        pass


@pytest.mark.e2e
def test_a_killed_process_holds_nothing(tmp_path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    held = rf"in use by poso run \(process {holder.pid} on .+\): wait"
    with pytest.raises(FolderInUseError, match=held), hold_folder(tmp_path):
        pass
    written = rf"being written by poso run \(process {holder.pid} on "
    with pytest.raises(FolderInUseError, match=written), share_folder(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    read = (
        "in use by another process, which reads it: wait"  # and not by the killed one
    )
    refused = pytest.raises(FolderInUseError, match=read)
    with share_folder(tmp_path), refused, hold_folder(tmp_path):
        pass
    with hold_folder(tmp_path):
        pass


def test_what_is_no_folder_is_an_error(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(OSError, match="taken"), hold_folder(tmp_path / "taken"):
        pass


def test_readers_share_a_folder_and_keep_writers_out(tmp_path):
    with hold_folder(tmp_path):
        pass
    in_use = pytest.raises(FolderInUseError, match="is in use")
    with share_folder(tmp_path), share_folder(tmp_path), in_use, hold_folder(tmp_path):
        pass
    being_written = pytest.raises(FolderInUseError, match="being written")
    with hold_folder(tmp_path), being_written, share_folder(tmp_path):
        pass
    with share_folder(tmp_path):
        pass


def test_nothing_is_made_in_what_is_read(tmp_path):
    with share_folder(tmp_path), share_folder(tmp_path / "nowhere"):
        assert not list(tmp_path.iterdir())


def test_a_lock_that_may_only_be_read_will_do(tmp_path):
    with hold_folder(tmp_path):
        pass
    (tmp_path / ".lock").chmod(0o444)
    refused = pytest.raises(FolderInUseError)
    with share_folder(tmp_path), refused, hold_folder(tmp_path):
        pass


def test_without_locks_of_the_file_system_it_is_read(tmp_path, monkeypatch):
    (tmp_path / ".lock").touch()

    def refuse(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    with share_folder(tmp_path):
        pass


def test_a_look_at_who_holds_a_folder_keeps_nobody_out(tmp_path, monkeypatch):
    with hold_folder(tmp_path):
        pass
    look = share_folder(tmp_path)
    look.__enter__()  # as `holder_of` does, at the moment that a run starts
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        look.__exit__(None, None, None)

    monkeypatch.setattr("preprocessing.storage.folder_lock.time.sleep", sleep)
    with hold_folder(tmp_path, "poso run"):
        assert holder_of(tmp_path).startswith("poso run (process ")
    assert len(pauses) == 1
    assert holder_of(tmp_path) is None
