"""Settings every test needs before TensorFlow is first imported."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets, named by POSO_DATA_DIR; skips without it."""
    folder = os.environ.get("POSO_DATA_DIR")
    if not folder:
        pytest.skip("POSO_DATA_DIR is not set: no real data on this machine")
    return Path(folder)
