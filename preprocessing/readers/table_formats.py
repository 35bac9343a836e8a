"""Folders of table formats, whose files are not all rows of the table."""

from __future__ import annotations

import posixpath
import re

from preprocessing.storage.files import SourceError, list_files

# What tells each: a file's path below the folder.
_SIGNS = (
    ("Delta", re.compile(r"(^|.*/)_delta_log/.*")),
    ("Iceberg", re.compile(r"(^|.*/)metadata/[^/]*\.metadata\.json")),
    ("Hudi", re.compile(r"(^|.*/)\.hoodie/.*")),
)
# How one is read as a log after all.
_READ = {"Delta": "As a log it is read with source.format: delta. Or export"}


def check_plain_files(data_dir: str) -> None:
    """Checks that a folder holds plain files, not a table of Delta, Iceberg or Hudi.

    Such a table keeps the files of earlier versions, whose rows would count again.

    Raises:
        SourceError: It, or a folder below it, is such a table.
    """
    for name in list_files(data_dir) or ():
        for kind, sign in _SIGNS:
            found = sign.fullmatch(name)
            if found:
                table = posixpath.join(data_dir, found[1] or "").rstrip("/")
                way = _READ.get(kind, "Export")
                raise SourceError(
                    f"{table} is a table of {kind}: some of its files hold rows that "
                    f"the table has removed or replaced. {way} the rows to Parquet "
                    "files in another folder and name that one"
                )
