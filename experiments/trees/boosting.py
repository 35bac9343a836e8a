"""LightGBM on one task: how many rounds the held-out rows want, then all rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from experiments.trees.inputs import TreeFeature
from preprocessing.contract.column_names import UNKNOWN_LABEL

_SHOW_EVERY = 10  # rounds


@dataclass(frozen=True)
class BoostingSettings:
    """How the trees are fitted.

    Attributes:
        seed: Of what LightGBM draws.
        threads: For it to use.
        learning_rate: Of each round.
        leaves: Of a tree, at most.
        least_rows: Of a leaf.
        most_rounds: Trees at most.
        patience: Rounds without a better held-out loss that end the search.
    """

    seed: int = 17
    threads: int = 1
    learning_rate: float = 0.05
    leaves: int = 31
    least_rows: int = 100
    most_rounds: int = 2000
    patience: int = 50


@dataclass(frozen=True)
class FittedTrees:
    """The trees of one task.

    Attributes:
        booster: LightGBM's model.
        rounds: Trees.
        rows: Impressions with a known label that they were fitted to.
        gains: Share of the loss's decrease that is owed to each feature, by name, the
            largest first; those without any are left out.
    """

    booster: Any
    rounds: int
    rows: int
    gains: dict[str, float]

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probabilities, float64 [rows], of features [rows, features]."""
        return np.asarray(self.booster.predict(features))


Show = Callable[[int, float], None]


def load_lightgbm() -> ModuleType:
    """LightGBM, which is an extra.

    Raises:
        ImportError: It is not installed, or cannot be loaded.
    """
    # Threads that wait for others otherwise spin, which beside another busy process
    # makes it five times as slow. OpenMP reads this when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import lightgbm
    except ImportError as error:
        raise ImportError(
            "the yardstick needs the package lightgbm: pip install 'poso[experiments]'"
        ) from error
    except OSError as error:  # its library needs the system's OpenMP
        raise ImportError(
            f"the package lightgbm cannot be loaded ({error}): it needs OpenMP, on "
            "Debian and Ubuntu apt install libgomp1"
        ) from error
    return lightgbm


def fit_trees(
    features: np.ndarray,
    labels: np.ndarray,
    held_out: np.ndarray,
    names: Sequence[TreeFeature],
    settings: BoostingSettings,
    show: Show = lambda rounds, loss: None,
) -> FittedTrees | None:
    """Fits the trees of a task; rows without a label are left out.

    Trees are added while the logarithmic loss of the held-out rows falls. As many are
    then fitted to all rows, the held-out ones included, since they are the newest.

    Args:
        features: float32 [rows, features].
        labels: int8 [rows], 0, 1 or `UNKNOWN_LABEL`.
        held_out: Which rows tell when to stop, bool [rows].
        names: The features.
        settings: How.
        show: Is told how many rounds there are and the held-out loss.

    Returns:
        The trees; None where the labels of either part are all alike, or all unknown.
    """
    lightgbm = load_lightgbm()
    known = labels != UNKNOWN_LABEL
    parts = [np.flatnonzero(known & ~held_out), np.flatnonzero(known & held_out)]
    if any(len(np.unique(labels[rows])) < 2 for rows in parts):
        return None
    parameters = {
        "objective": "binary",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.least_rows,
        "feature_fraction": 0.8,
        "seed": settings.seed,
        "num_threads": settings.threads,
        # The same trees whatever the threads are up to.
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }

    def dataset(rows: np.ndarray, reference: Any = None) -> Any:
        return lightgbm.Dataset(
            features[rows],
            labels[rows],
            reference=reference,
            feature_name=[feature.name for feature in names],
            categorical_feature=[f.name for f in names if f.categorical],
            params=parameters,
        )

    def tell(environment: Any) -> None:
        if (
            environment.iteration % _SHOW_EVERY == 0
            and environment.evaluation_result_list
        ):
            show(environment.iteration + 1, environment.evaluation_result_list[0][2])

    fitted, stopping = dataset(parts[0]), None
    stopping = dataset(parts[1], fitted)
    search = lightgbm.train(
        parameters,
        fitted,
        settings.most_rounds,
        valid_sets=[stopping],
        callbacks=[
            lightgbm.early_stopping(settings.patience, verbose=False),
            tell,
        ],
    )
    rounds = max(1, search.best_iteration)
    del search, fitted, stopping
    rows = np.flatnonzero(known)
    booster = lightgbm.train(parameters, dataset(rows), rounds)
    return FittedTrees(booster, rounds, len(rows), _gains(booster, names))


def _gains(booster: Any, names: Sequence[TreeFeature]) -> dict[str, float]:
    gains = booster.feature_importance("gain")
    total = float(gains.sum()) or 1.0
    order = np.argsort(-gains, kind="stable")
    return {
        names[place].name: float(gains[place]) / total
        for place in order
        if gains[place]
    }
