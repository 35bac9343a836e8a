"""Where the examples of a run go, and what lies beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

STATE_FOLDER = "state"
SUMMARY_FILE = "log_summary.json"
# Custom properties of the artifact; the last is of a run of a date alone.
FIRST_DAY, LAST_DAY, OF_A_DATE = "first_day", "last_day", "of_a_date"


class Places(NamedTuple):
    """The folders that a run writes.

    Attributes:
        folder: The artifact's.
        splits: The folder of each split, in the artifact's.
        rejects_dir: An empty folder for the rejects and their counts.
    """

    folder: Path
    splits: Mapping[str, Path]
    rejects_dir: str

    @property
    def state_dir(self) -> str:
        """The state after the log."""
        return str(self.folder / STATE_FOLDER)
