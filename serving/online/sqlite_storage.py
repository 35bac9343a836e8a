"""Records in an SQLite file, or in memory: the embedded storage."""

from __future__ import annotations

import os
import sqlite3
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from serving.online.storage import Swap
from serving.protocol.errors import Unavailable

IN_MEMORY = ":memory:"

_BUSY_S = 30.0
_HEADER_BYTES = 100
_PARAMETERS = 500  # SQLite takes at least 999 in one statement
_TABLES = """
CREATE TABLE IF NOT EXISTS users (user_id BLOB PRIMARY KEY, record BLOB NOT NULL)
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS videos (counts TEXT, video_id BLOB, impressions INTEGER
  NOT NULL, PRIMARY KEY (counts, video_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, text TEXT NOT NULL)
  WITHOUT ROWID;
"""
_NAMES, _USER_COLUMNS = {"users", "videos", "notes"}, {"user_id", "record"}


class SqliteStorage:
    """A `RecordStorage` in one file, which threads and processes may share.

    A write is on the disk before it is reported done, so neither a killed process nor
    a power cut loses it; SQLite undoes an interrupted one when it is next opened.

    Args:
        path: The file, made if it is missing; `IN_MEMORY` keeps everything in memory,
            until `close`.

    Raises:
        Unavailable: The file cannot be used, was cut short, or is of another program.
    """

    def __init__(self, path: str | Path = IN_MEMORY):
        self._path = str(path)
        self._lock = threading.Lock()
        _check_length(Path(path))
        with self._reported(), ExitStack() as unless_ready:
            self._connection = sqlite3.connect(
                self._path,
                timeout=_BUSY_S,
                isolation_level=None,
                check_same_thread=False,
            )
            unless_ready.callback(self._connection.close)
            self._check_tables()
            # Readers need not wait for a writer; FULL: a commit waits for the disk.
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.executescript(_TABLES)
            unless_ready.pop_all()

    def read(self, user_ids: Sequence[str]) -> list[bytes | None]:
        """The users' records, in order; None where there is none."""
        query = "SELECT user_id, record FROM users WHERE user_id IN "
        found = self._found(query, [], user_ids)
        return [found.get(user_id.encode()) for user_id in user_ids]

    def swap(self, swaps: Sequence[Swap], counts: str) -> list[bool]:
        """Writes records that have not changed meanwhile; see `RecordStorage`."""
        with self._transaction() as connection:
            return [self._swap(connection, swap, counts) for swap in swaps]

    def video_impressions(self, video_ids: Sequence[str], counts: str) -> list[int]:
        """Impressions of videos under a name; 0 where nothing was counted."""
        query = (
            "SELECT video_id, impressions FROM videos WHERE counts = ? AND video_id IN "
        )
        found = self._found(query, [counts], video_ids)
        return [found.get(video_id.encode(), 0) for video_id in video_ids]

    def set_video_impressions(
        self, impressions: Mapping[str, int], counts: str
    ) -> None:
        """Sets impressions of videos under a name."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO videos VALUES (?, ?, ?)",
                ((counts, video.encode(), n) for video, n in impressions.items()),
            )

    def drop_video_impressions(self, counts: str) -> None:
        """Forgets all counts of a name."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM videos WHERE counts = ?", (counts,))

    def notes(self) -> dict[str, str]:
        """Texts kept beside the records."""
        with self._lock, self._reported():
            return dict(self._connection.execute("SELECT name, text FROM notes"))

    def set_notes(self, notes: Mapping[str, str]) -> None:
        """Sets some of the texts, all at once."""
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO notes VALUES (?, ?)", notes.items()
            )

    def set_note_once(self, name: str, text: str) -> str:
        """Sets a text unless there is one; returns the one that stands."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO notes VALUES (?, ?)", (name, text)
            )
            query = "SELECT text FROM notes WHERE name = ?"
            return str(connection.execute(query, (name,)).fetchone()[0])

    def user_ids(self) -> Iterator[str]:
        """Every user who has a record."""
        with self._lock, self._reported():
            rows = self._connection.execute("SELECT user_id FROM users").fetchall()
        return (user_id.decode() for (user_id,) in rows)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._connection.close()

    def _check_tables(self) -> None:
        """Checks that a file which is there already is a store, and no other one."""
        query = "SELECT name FROM sqlite_master WHERE type = 'table'"
        names = {name for (name,) in self._connection.execute(query)}
        # SQLite's own, such as the statistics that ANALYZE leaves, are in any file.
        tables = {name for name in names if not name.startswith("sqlite_")}
        columns = self._connection.execute("PRAGMA table_info(users)").fetchall()
        if tables - _NAMES or {column[1] for column in columns} - _USER_COLUMNS:
            raise Unavailable(
                f"{self._path} is an SQLite file of something else, not a user store: "
                "name another file"
            )

    def _swap(self, connection: sqlite3.Connection, swap: Swap, counts: str) -> bool:
        user_id = swap.user_id.encode()
        if swap.before is None:
            done = connection.execute(
                "INSERT OR IGNORE INTO users VALUES (?, ?)", (user_id, swap.after)
            )
        else:
            done = connection.execute(
                "UPDATE users SET record = ? WHERE user_id = ? AND record = ?",
                (swap.after, user_id, swap.before),
            )
        if not done.rowcount:
            return False
        connection.executemany(
            "INSERT INTO videos VALUES (?, ?, ?) ON CONFLICT (counts, video_id) "
            "DO UPDATE SET impressions = impressions + excluded.impressions",
            ((name, key.encode(), n) for name, key, n in swap.added(counts)),
        )
        return True

    def _found(self, query: str, first: list[str], keys: Sequence[str]) -> dict:
        found: dict = {}
        with self._lock, self._reported():
            for start in range(0, len(keys), _PARAMETERS):
                part = [key.encode() for key in keys[start : start + _PARAMETERS]]
                marks = ", ".join("?" * len(part))
                rows = self._connection.execute(f"{query}({marks})", [*first, *part])
                found.update(rows)
        return found

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._reported():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise Unavailable(f"the user store {self._path}: {error}") from error


def _check_length(path: Path) -> None:
    """Checks that a file has the pages that its header counts.

    SQLite itself complains only once it misses a page, which may be long after users
    were taken for new ones. While the file is in use, the pages may lie in its log.

    Raises:
        Unavailable: The file is shorter, as a copy under way is.
    """
    path = path.resolve()
    log = path.with_name(f"{path.name}-wal")
    if log.exists():  # and to close the file would end this process's locks on it
        return
    try:
        with path.open("rb") as file:
            header, length = file.read(_HEADER_BYTES), os.fstat(file.fileno()).st_size
    except OSError:
        return  # a new store; or SQLite says what is the matter
    if log.exists() or not header.startswith(b"SQLite format 3\0"):
        return
    if len(header) < _HEADER_BYTES:
        expected = _HEADER_BYTES
    else:
        page, changes, pages, counted_at = struct.unpack(">16xH6xII60xI4x", header)
        # 1 stands for 65536; the count is valid for one number of changes alone.
        expected = (65_536 if page == 1 else page) * pages * (changes == counted_at)
    if length < expected:
        raise Unavailable(
            f"the user store {path} was cut short: it has {length:,} bytes instead of "
            f"{expected:,}. Copy it again while nobody uses it (or by the command "
            ".backup of sqlite3), or load a state into a new one"
        )
