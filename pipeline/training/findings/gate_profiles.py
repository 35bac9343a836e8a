"""What the gates of a ranking model do over AVC buckets, and how that is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.config import TrainerPart
from pipeline.model.ranking_model import RankingModel
from poso_keras.diagnostics import GateProfile, gate_profile
from preprocessing.transform.input_specs import input_specs

_AVC = "avc"
_DIGITS = 6


class GateRecord:
    """The outputs of every gate over the AVC buckets, before a training and after it.

    Args:
        model: About to be trained; its variables are made if it has none yet.
        config: Its configuration.
        example: Transformed tensors, whose first row says what the gates read beside
            the AVC, where they do.
    """

    def __init__(
        self, model: RankingModel, config: TrainerPart, example: Mapping[str, Any]
    ):
        self._model = model
        self._config = config
        self._example = example
        self._start = self._profile(model)

    def since_start(self, model: RankingModel | None = None) -> GateProfile | None:
        """Outputs [buckets, units] by gate, the least bucket first, and their starts.

        None of a model without gates.

        Args:
            model: Another with the trained one's weights.
        """
        return self._profile(model or self._model, self._start)

    def _profile(
        self, model: RankingModel, start: GateProfile | None = None
    ) -> GateProfile | None:
        config = self._config
        if not config.model.poso.any:
            return None
        specs = input_specs(config.features, config.transform)
        [values] = [spec.bucket_values for spec in specs if spec.name == _AVC]
        # Bucket 0 is "missing", which AVC never is.
        buckets = np.arange(1, values, dtype="int64")
        with model.distribute_strategy.scope():
            return gate_profile(model, {_AVC: buckets}, self._example, start)


def profile_to_dict(profile: GateProfile, config: TrainerPart) -> dict[str, Any]:
    """A profile as JSON holds it, with the names of its buckets."""
    return {
        "buckets": _bucket_names(config, profile),
        "gates": _as_lists(profile.gates),
        "starts": _as_lists(profile.starts),
        "scales": {name: float(scale) for name, scale in profile.scales.items()},
    }


def profile_from_dict(written: Mapping[str, Any]) -> tuple[GateProfile, list[str]]:
    """What `profile_to_dict` made: the profile, and the names of its buckets."""
    gates, starts = (
        {name: np.array(matrix) for name, matrix in written[key].items()}
        for key in ("gates", "starts")
    )
    return GateProfile(gates, written["scales"], starts), written["buckets"]


def _bucket_names(config: TrainerPart, profile: GateProfile) -> list[str]:
    """By their least AVC; by their numbers where quantiles bound them."""
    if config.transform.avc_quantiles:
        number = len(next(iter(profile.gates.values())))
        return [f"#{bucket}" for bucket in range(1, number + 1)]
    bounds: Sequence[float] = config.transform.avc_boundaries
    return [f"<{bounds[0]:g}", *(f"{bound:g}+" for bound in bounds)]


def _as_lists(matrices: Mapping[str, np.ndarray]) -> dict[str, list[list[float]]]:
    return {
        name: np.round(matrix.astype("float64"), _DIGITS).tolist()
        for name, matrix in matrices.items()
    }
