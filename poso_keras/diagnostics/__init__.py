"""Looks into a model: what its parts cost, what it hears, what its gates do.

Plain arrays and tables, each with a `plot` that needs matplotlib (`poso[plot]`).
"""

from poso_keras.diagnostics._calls import LayerCall
from poso_keras.diagnostics._operations import Operations
from poso_keras.diagnostics.gate_numbers import GateNumbers
from poso_keras.diagnostics.gate_profile import GateProfile, gate_profile
from poso_keras.diagnostics.masking_sensitivity import (
    MaskingSensitivity,
    masking_sensitivity,
)
from poso_keras.diagnostics.model_cost import ModelCost, ModuleCost, model_cost

__all__ = [
    "GateNumbers",
    "GateProfile",
    "LayerCall",
    "MaskingSensitivity",
    "ModelCost",
    "ModuleCost",
    "Operations",
    "gate_profile",
    "masking_sensitivity",
    "model_cost",
]
