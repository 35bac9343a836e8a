"""A run folder and the records of its runs, which a test fills."""

import pytest

from pipeline.runners.run_paths import RunPaths
from tests.helpers.run_history import RunHistory


@pytest.fixture
def paths(tmp_path):
    paths = RunPaths(tmp_path / "out")
    paths.pipeline_root.mkdir(parents=True)
    return paths


@pytest.fixture
def history(paths):
    return RunHistory(paths.metadata, paths.pipeline_root)
