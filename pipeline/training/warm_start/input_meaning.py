"""What a model's inputs are, and what the rows of its embedding tables stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.config import TrainerPart
from preprocessing.transform.input_specs import HISTORY_GAP, InputSpec, input_specs


@dataclass(frozen=True)
class InputMeaning:
    """Two models with the same read the same numbers in the same places.

    Attributes:
        inputs: Name, kind, side and length of each input, in their order; then those
            that the model itself makes of them, matches with histories.
        rows: What the rows of each embedding layer stand for, by the layer's name. Of
            ids: the `table`, and its `hash_buckets` or None; of buckets: their bounds.
    """

    inputs: tuple[tuple[Any, ...], ...]
    rows: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, config: TrainerPart) -> InputMeaning:
        """Of a configuration."""
        specs = input_specs(config.features, config.transform)
        gaps = {"boundaries": list(config.transform.gap_hours_boundaries)}
        rows: dict[str, dict[str, Any]] = {f"{HISTORY_GAP}_table": gaps}
        for spec in specs:
            meaning = _rows_of(spec, config)
            if meaning:
                # Of the model's own layer, and of the one that makes a code.
                rows[f"{spec.table or spec.name}_table"] = meaning
                rows[f"{spec.name}_embedded"] = meaning
        inputs: list[tuple[Any, ...]] = [
            (s.name, s.kind, s.side, s.length) for s in specs
        ]
        if config.model.history_matches:
            inputs += [
                (s.name, "matches", "video", s.length)
                for s in specs
                if s.kind == "history"
            ]
        return cls(tuple(inputs), rows)

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> InputMeaning:
        """What `to_dict` made, after JSON."""
        return cls(tuple(map(tuple, values["inputs"])), values["rows"])

    def rows_of(self, weight: str) -> Mapping[str, Any] | None:
        """What the rows of a weight stand for; None of one that is no such table."""
        layer = weight.split("/")[-2] if "/" in weight else ""
        return self.rows.get(layer)


def _rows_of(spec: InputSpec, config: TrainerPart) -> dict[str, Any]:
    if spec.table:
        known = config.transform.vocabulary(spec.table)
        return {"table": spec.table, "hash_buckets": known.hash_buckets}
    if spec.kind == "bucket":
        return {"boundaries": list(spec.boundaries), "quantiles": spec.quantiles}
    return {}
