"""The report's numbers on gates: how far they moved, what they tell apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.training.findings.gate_profiles import profile_from_dict
from poso_keras.diagnostics import GateProfile


def gate_tables(
    gates: Mapping[str, Mapping[str, Any]],
) -> dict[str, list[dict[str, Any]]]:
    """A row for each gated module of each model, by ranking name.

    Args:
        gates: Of each model what `gate_profiles.profile_to_dict` wrote.

    Returns:
        Rows with `gate`, the module's path; `units`; the `GateNumbers` `moved`,
        `between_codes` and `between_units`; and the latter two as they were at the
        start, `between_codes_at_start` and `between_units_at_start`.
    """
    return {name: _rows(profile_from_dict(part)[0]) for name, part in gates.items()}


def _rows(profile: GateProfile) -> list[dict[str, Any]]:
    begun = GateProfile(profile.starts, profile.scales).numbers()
    return [
        {
            "gate": name,
            "units": profile.gates[name].shape[1],
            **numbers.to_dict(),
            "between_codes_at_start": begun[name].between_codes,
            "between_units_at_start": begun[name].between_units,
        }
        for name, numbers in profile.numbers().items()
    ]
