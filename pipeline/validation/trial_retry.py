"""A failed trial is not reused: what was wrong may have been the machine."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.validation.trial import RESULT_FILE

_RETRY_FILE = "retry_of"


def trial_to_retry(trials: Path) -> str:
    """What the next trial is a retry of; equal values let TFX reuse its result.

    A trial that failed is run again; one that passed is reused as it was.

    Args:
        trials: Folder of the trials' outputs, one numbered folder each.

    Returns:
        The newest trial's folder if it failed, else what that one was a retry of.
    """
    done = [f for f in trials.glob("*") if (f / RESULT_FILE).exists()]
    if not done:
        return ""
    newest = max(done, key=lambda folder: int(folder.name))
    result = json.loads((newest / RESULT_FILE).read_text(encoding="utf-8"))
    if not result["passed"]:
        return str(newest)
    noted = newest / _RETRY_FILE
    return noted.read_text(encoding="utf-8") if noted.exists() else ""


def note_retry(trial: Path, retry_of: str) -> None:
    """Notes beside a trial's result what it was a retry of."""
    if retry_of:
        (trial / _RETRY_FILE).write_text(retry_of, encoding="utf-8")
