"""A day's impressions with one ranking's scores, and a file that keeps them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_LABEL, _SCORE = "label/", "score/"


@dataclass(frozen=True)
class ScoredRows:
    """Impressions, in the order of their files; every array is [rows].

    Attributes:
        user_ids: Bytes.
        new: Whether by a new user, bool.
        labels: int8 0, 1 or `UNKNOWN_LABEL`, by task.
        scores: By task; a ranking may leave tasks out.
    """

    user_ids: np.ndarray
    new: np.ndarray
    labels: Mapping[str, np.ndarray]
    scores: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.user_ids)

    def write(self, file: Path) -> None:
        """Keeps them in an `.npz` file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        columns = {
            "user_ids": self.user_ids,
            "new": self.new,
            **{_LABEL + task: values for task, values in self.labels.items()},
            **{_SCORE + task: values for task, values in self.scores.items()},
        }
        with file.open("wb") as written:
            np.savez_compressed(written, **columns)


def read_scored_rows(file: Path) -> ScoredRows:
    """What `ScoredRows.write` kept.

    Raises:
        ValueError: The file is gone or not whole; the message says what to do.
    """
    try:
        with np.load(file) as kept:
            columns = {name: kept[name] for name in kept.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"the scores in {file} cannot be read ({error}): remove "
            f"{file.with_suffix('.json')}, too, and run again"
        ) from error
    return ScoredRows(
        columns["user_ids"],
        columns["new"],
        _of(columns, _LABEL),
        _of(columns, _SCORE),
    )


def _of(columns: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {
        name.removeprefix(prefix): values
        for name, values in columns.items()
        if name.startswith(prefix)
    }
