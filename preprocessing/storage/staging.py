"""A folder of an object store, worked on as a copy on this machine.

What needs a real folder (SavedModels, TFX artifacts, sqlite) works on the copy:
`pull` brings what changed in the store, `push` sends back what changed here. The copy
stays between runs, so that neither moves more than the difference.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from preprocessing.storage.files import (
    create_file,
    join,
    list_files,
    open_file,
    remove_tree,
)
from preprocessing.storage.remote import store_of
from preprocessing.storage.store import RemoteFile

_RECORD = "record.json"
_PARTS = "_parts"  # what is being brought
_NOT_SENT = (".lock",)  # a run holds its folder by it
_THREADS = 8
_BLOCK_BYTES = 1 << 20
# Sent after all others: a model is whole once its graph is there, a run once its
# records are.
_LAST = ("saved_model.pb", "version_files.json", "metadata.sqlite")


# Of each file its version in the store and here, when both were the same.
_Record = dict[str, dict[str, str]]


class Transfer(NamedTuple):
    """What one `pull` or `push` has moved."""

    files: int
    bytes: int


class StagedFolder:
    """A copy of a store's folder.

    Args:
        uri: The folder in the store, which need not be there yet; or a file.
        root: Where the copy is kept, with a record of what was moved when; by default
            below the user's cache folder (`XDG_CACHE_HOME`), a folder for each URI.

    Attributes:
        uri: The folder in the store.
        root: Where the copy and its record are kept.
        local: The copy, of the folder's own name.
        client: Through what the store is reached, for people.
    """

    def __init__(self, uri: str, root: Path | None = None):
        self.uri = uri.rstrip("/")
        self.root = root or _cache_folder(self.uri)
        self.local = self.root / posixpath.basename(self.uri)
        self._store = store_of(self.uri)
        self.client = self._store.client

    def pull(self) -> Transfer:
        """Brings what is new or changed in the store, removes what is gone there.

        A file that changed on both sides is taken from the store.

        Raises:
            OSError: The store or the copy cannot be used; what has been brought stays.
        """
        remote = {file.name: file for file in self._store.find(self.uri)}
        record = self._read_record()
        for name in remote:
            if ".." in name.split("/"):
                raise OSError(f"{self.uri}: {name} leads out of the folder")
        wanted = [file for file in remote.values() if self._is_behind(file, record)]
        for name in record.keys() - remote.keys():
            (self.local / name).unlink(missing_ok=True)
            del record[name]
        names = [file.name for file in wanted]
        parts = self.root / _PARTS
        shutil.rmtree(parts, ignore_errors=True)  # of a process that was killed
        parts.mkdir(parents=True)
        try:
            self._each(self._get, names)
        finally:
            shutil.rmtree(parts)
        for name in names:
            # TFX tells a log's versions by these times: each copy has the store's.
            if time_ns := remote[name].time_ns:
                os.utime(self.local / name, ns=(time_ns, time_ns))
            record[name] = {
                "remote": remote[name].version,
                "local": _version(self.local / name),
            }
        self._write_record(record)
        return Transfer(len(wanted), sum(file.size for file in wanted))

    def is_behind(self) -> bool:
        """Whether `pull` would bring or remove something.

        Raises:
            OSError: The store cannot be used.
        """
        remote = self._store.find(self.uri)
        record = self._read_record()
        gone = record.keys() - {file.name for file in remote}
        return bool(gone) or any(self._is_behind(file, record) for file in remote)

    def push(self) -> Transfer:
        """Sends what is new or changed here, removes from the store what is gone here.

        What others have put into the store's folder meanwhile stays.

        Raises:
            OSError: The store cannot be written to; what has been sent stays.
        """
        record = self._read_record()
        here = {
            name: _version(self.local / name)
            for name in list_files(str(self.local)) or ()
            if name not in _NOT_SENT
        }
        changed = [n for n, at in here.items() if record.get(n, {}).get("local") != at]
        for last in ("", *_LAST):
            self._each(self._put, [name for name in changed if _last(name) == last])
        gone = sorted(record.keys() - here.keys())
        for name in gone:
            remove_tree(join(self.uri, name))
        if changed or gone:
            remote = {file.name: file.version for file in self._store.find(self.uri)}
            self._write_record(
                {
                    n: {"remote": remote[n], "local": here[n]}
                    for n in here
                    if n in remote
                }
            )
        size = sum((self.local / name).stat().st_size for name in changed)
        return Transfer(len(changed), size)

    def _is_behind(self, file: RemoteFile, record: _Record) -> bool:
        there = (self.local / file.name).exists()
        return not there or record.get(file.name, {}).get("remote") != file.version

    def _get(self, name: str) -> None:
        target = self.local / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with (
            open_file(join(self.uri, name) if name else self.uri) as source,
            tempfile.NamedTemporaryFile(dir=self.root / _PARTS, delete=False) as part,
        ):
            shutil.copyfileobj(source, part, _BLOCK_BYTES)
        os.replace(part.name, target)

    def _put(self, name: str) -> None:
        with (
            open(self.local / name, "rb") as source,
            create_file(join(self.uri, name)) as target,
        ):
            shutil.copyfileobj(source, target, _BLOCK_BYTES)

    def _each(self, move: Callable[[str], None], names: Sequence[str]) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(move, names))

    def _read_record(self) -> _Record:
        try:
            record: _Record = json.loads(
                (self.root / _RECORD).read_text(encoding="utf-8")
            )
        except (OSError, ValueError):
            return {}
        return record

    def _write_record(self, record: _Record) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        part = self.root / (_RECORD + ".part")
        part.write_text(json.dumps(record), encoding="utf-8")
        os.replace(part, self.root / _RECORD)


def _cache_folder(uri: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "poso" / hashlib.sha256(uri.encode()).hexdigest()[:12]


def _version(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}-{status.st_mtime_ns}"


def _last(name: str) -> str:
    base = posixpath.basename(name)
    return base if base in _LAST else ""
