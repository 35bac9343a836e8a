"""Settings every test needs before TensorFlow is first imported."""

import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
from filelock import FileLock

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


@pytest.fixture(autouse=True, scope="session")
def signals_of_a_terminal():
    """What `nohup` and a shell's `&` ignore, all that tests start would ignore, too."""
    if threading.current_thread() is not threading.main_thread():
        return
    handlers = {
        signal.SIGHUP: signal.SIG_DFL,
        signal.SIGINT: signal.default_int_handler,
    }
    for number, handler in handlers.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by marks
def pytest_collection_modifyitems(items):
    """Marks `data` what asks for the folder of real data."""
    for item in items:
        if "data_dir" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.data)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets, named by POSO_DATA_DIR; skips without it."""
    folder = os.environ.get("POSO_DATA_DIR")
    if not folder:
        pytest.skip("POSO_DATA_DIR is not set: no real data on this machine")
    return Path(folder)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Makes a folder by `make(folder)`, once for all workers of a test run."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def folder_of(name, make):
        folder, done = root / name, root / f"{name}.done"
        with FileLock(f"{folder}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def small_transform(made_once):
    """The one Transform of a few rows (`tests/pipeline/small_transform.py`)."""
    from tests.helpers.small_transform import (
        SmallTransform,
        analyzed_rows,
        settings_with,
        transform_rows,
    )

    config = settings_with()
    folder = made_once(
        "small_transform",
        lambda folder: transform_rows(config, analyzed_rows(), folder),
    )
    return SmallTransform(config, folder)


@pytest.fixture(scope="session")
def hashed_transform(made_once):
    """The Transform of the same rows with hashed ids of users and videos."""
    from tests.helpers.small_transform import (
        SmallTransform,
        analyzed_rows,
        settings_with,
        transform_rows,
    )

    vocabularies = {"user_id": {"hash_buckets": 50}, "video_id": {"hash_buckets": 7}}
    config = settings_with(transform={"vocabularies": vocabularies})
    folder = made_once(
        "hashed_transform",
        lambda folder: transform_rows(config, analyzed_rows(), folder),
    )
    return SmallTransform(config, folder)


@pytest.fixture(scope="session")
def rated_transform(made_once):
    """The Transform of the same rows with rates, whose buckets are inputs."""
    from tests.helpers.rated_rows import rated_rows, rated_settings
    from tests.helpers.small_transform import SmallTransform, transform_rows

    config = rated_settings()
    folder = made_once(
        "rated_transform", lambda folder: transform_rows(config, rated_rows(), folder)
    )
    return SmallTransform(config, folder)
