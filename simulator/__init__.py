"""A short-video feed with new, regular, inactive and returning users.

It writes an impression log that keeps the contract, for demos, tests and online A/B
experiments; `simulator.behaviour` states the generative model. Imports nothing of ours.
"""

from simulator.config import SimulatorConfig
from simulator.impression_log import simulate
from simulator.log_files import LogFolderError, check_log_folder, write_log

__all__ = [
    "LogFolderError",
    "SimulatorConfig",
    "check_log_folder",
    "simulate",
    "write_log",
]
