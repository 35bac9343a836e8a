"""A server's process knows the descriptors that reflection tells clients."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PROGRAM = """
import serving.server.embedded_server
from google.protobuf import descriptor_pool
pool = descriptor_pool.Default()
for name in ("PredictionService", "ModelService"):
    pool.FindServiceByName("tensorflow.serving." + name)
"""


@pytest.mark.e2e
def test_services_are_described_where_nothing_else_loads_them():
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
