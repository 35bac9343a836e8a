"""What the packages' tops offer, each seen from a process that knows nothing yet."""

import subprocess
import sys

import pytest

import serving.client
import serving.online

HEAVY = ("tensorflow", "keras", "pyarrow", "numpy", "grpc", "aiohttp", "tenacity")
CLIENT = """
from serving.client import RankingClient, ServingError, TlsFiles
RankingClient(grpc="127.0.0.1:1")
RankingClient(rest="http://127.0.0.1:1")
"""
ONLINE = """
from serving.online import Ranker, UserStore, VideoCatalog, open_storage
import serving.online.redis_storage
"""


def loaded(code):
    """The packages that a fresh process has loaded after running code."""
    code += "\nimport sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.e2e
@pytest.mark.parametrize("package", ["serving.client", "serving.online"])
def test_a_package_alone_loads_nothing_heavy(package):
    assert not loaded(f"import {package}").intersection(HEAVY)


@pytest.mark.e2e
@pytest.mark.parametrize("code", [CLIENT, ONLINE], ids=["client", "online"])
def test_nothing_in_them_needs_tensorflow_nor_retries_before_a_failure(code):
    found = loaded(code)
    assert "serving" in found
    assert not found & {"tensorflow", "keras", "tf_keras", "tenacity"}


@pytest.mark.parametrize("package", [serving.client, serving.online])
def test_every_public_name_is_there_however_often_it_is_asked_for(package):
    for name in package.__all__ * 2:
        value = getattr(package, name)
        assert value.__name__ == name
        assert callable(value)
    with pytest.raises(AttributeError, match="no attribute 'Rankr'"):
        _ = package.Rankr
