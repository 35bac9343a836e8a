import errno
import os
import sqlite3

import click
import pyarrow as pa
import pytest

from cli.disk_errors import opening, writing


def message_of(block, error):
    with pytest.raises(click.ClickException) as caught, block:
        raise error
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "Permission denied"),
        (errno.EROFS, "Read-only file system"),
        (errno.ENOSPC, "No space left on device"),
        (errno.ENOENT, "No such file or directory"),
        (errno.ENAMETOOLONG, "File name too long"),
        (errno.EEXIST, "a file stands where a folder should be"),
        (errno.ENOTDIR, "a file stands where a folder should be"),
    ],
)
def test_a_place_that_cannot_be_opened_is_named_with_its_option(number, said):
    error = OSError(number, os.strerror(number), "/out/features.log")
    expected = f"--out /out cannot be written to: {said} (/out/features.log)"
    assert message_of(opening("--out", "/out"), error) == expected


def test_an_error_without_a_number_keeps_its_words():
    said = message_of(opening("--out", "/out"), OSError("no such bucket"))
    assert said == "--out /out cannot be written to: no such bucket"


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "x"), "No space left on device"),
        (OSError(errno.EDQUOT, "x"), "Disk quota exceeded"),
        (OSError(errno.EROFS, "x", "/out/a"), "Read-only file system"),
        (pa.ArrowException("write: No space left on device"), "No space left"),
        (RuntimeError("ResourceExhausted: /a; No space left on device"), "No space"),
        (caused(KeyError("x"), OSError(errno.ENOSPC, "x")), "No space left on device"),
        (sqlite3.OperationalError("database or disk is full"), "disk is full"),
    ],
)
def test_a_full_disk_is_known_whichever_library_says_so(error, said):
    line = message_of(writing("--out", "/out"), error)
    assert line.startswith("--out /out cannot be written to: ")
    assert said in line


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied", "/data/log.parquet"),
        FileNotFoundError("/data"),
        ValueError("wrong"),
        click.ClickException("No space left on device, said otherwise"),
        KeyboardInterrupt(),
    ],
)
def test_other_errors_are_not_blamed_on_the_output(error):
    with pytest.raises(type(error)) as caught, writing("--out", "/out"):
        raise error
    assert caught.value is error
