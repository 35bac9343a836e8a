"""Cores, as the engine and the server count them."""

import os

import pytest

from preprocessing.engine.cores import usable_cores as engine_cores
from serving.server.settings.cores import usable_cores as server_cores


@pytest.mark.parametrize("usable_cores", [engine_cores, server_cores])
def test_cores_that_the_process_is_not_bound_to_do_not_count(usable_cores, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 4}, raising=False)
    assert usable_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores() == 7
