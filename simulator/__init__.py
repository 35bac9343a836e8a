"""A short-video feed with new, regular, inactive and returning users.

It writes an impression log that keeps the contract, for demos, tests and online A/B
experiments; `simulator.behaviour` states the generative model. Imports nothing of ours.
"""

from simulator.config import SimulatorConfig
from simulator.impression_log import simulate, write_log

__all__ = ["SimulatorConfig", "simulate", "write_log"]
