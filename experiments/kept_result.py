"""A result in a file, with what it is of, so that a stopped experiment goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Metrics = dict[str, Any]


@dataclass(frozen=True)
class KeptResult:
    """A result that is made once.

    Attributes:
        file: Where it is kept.
        identity: What it must be of, as JSON has it: a configuration, a log.
    """

    file: Path
    identity: Mapping[str, Any]

    def read(self) -> Metrics | None:
        """The result; None where there is none, or one of something else."""
        if not self.file.exists():
            return None
        kept = json.loads(self.file.read_text(encoding="utf-8"))
        return kept["metrics"] if kept["identity"] == self.identity else None

    def make(self, make: Callable[[], Metrics]) -> Metrics:
        """Makes the result and keeps it.

        One of something else goes first: what `make` writes beside it would otherwise
        be taken for its own.
        """
        self.file.unlink(missing_ok=True)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        metrics = make()
        kept = {"identity": self.identity, "metrics": metrics}
        unfinished = self.file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        unfinished.rename(self.file)
        return metrics
