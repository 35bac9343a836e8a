"""The log of experiments whose runs are stand-ins."""

import pytest

from simulator import SimulatorConfig, simulate, write_log


@pytest.fixture(scope="package")
def log_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    write_log(simulate(SimulatorConfig(users=100, days=1)), folder)
    return folder
