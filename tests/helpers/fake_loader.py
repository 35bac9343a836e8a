"""Versions that load at once, or fail, without TensorFlow."""

import gc
from pathlib import Path

from serving.server.models.saved_model import ModelLoadError, ModelVersion


class FakeLoader:
    """Loads folders that hold a file `saved_model.pb` without the word "broken".

    Attributes:
        loaded: Model names and numbers, in the order of attempts.
        before: Called with each number before it is loaded.
    """

    def __init__(self):
        self.loaded = []
        self.before = lambda number: None

    def __call__(self, model: str, number: int, folder: str) -> ModelVersion:
        self.loaded.append((model, number))
        self.before(number)
        text = (Path(folder) / "saved_model.pb").read_text()
        if "broken" in text:
            raise ModelLoadError(f"{folder} is {text}", "DATA_LOSS")
        return ModelVersion(number, {}, {"text": text})


def write(base: Path, number: int, text: str = "sound") -> Path:
    """Writes the folder of a version."""
    folder = base / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_text(text)
    return folder


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def dead(reference) -> bool:
    """Whether an object is gone, once the cycles are collected."""
    gc.collect()
    return reference() is None
