"""The default log, simulated once, with what the contract derives from it."""

import pandas as pd
import pyarrow as pa
import pytest

from simulator import SimulatorConfig, simulate
from tests.helpers.user_groups import labelled


@pytest.fixture(scope="session")
def config() -> SimulatorConfig:
    return SimulatorConfig()


@pytest.fixture(scope="session")
def log(config: SimulatorConfig) -> pa.Table:
    return simulate(config)


@pytest.fixture(scope="session")
def impressions(log: pa.Table, config: SimulatorConfig) -> pd.DataFrame:
    return labelled(log, config)
