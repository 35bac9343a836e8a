"""How much a model listens to a feature: its activations with and without (Fig. 1b)."""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from poso_keras.diagnostics._activations import Activations, find_activations
from poso_keras.diagnostics._calls import as_array, run_in_inference, zeroed_outputs
from poso_keras.diagnostics._figures import new_axes
from poso_keras.diagnostics._layer_tree import Path, find_layer, layers_by_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Names: TypeAlias = Mapping[str, str | Sequence[str]] | Sequence[str]
Inputs: TypeAlias = Mapping[str, Any]
_Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class MaskingSensitivity:
    """Change of the activations when a feature is masked, averaged over all rows.

    Attributes:
        change: mean absolute change of each unit [units], by feature.
        magnitude: mean absolute activation of each unit without masking [units].
        rows_changed: fraction of the rows in which any unit changed, by feature. A row
            where the feature is 0 already does not change: an indicator that is 1 in
            5 % of the rows can move at most these.
        blocks: which layers the units are of, in order, and how many of each.
        rows: how many rows were averaged over.
    """

    change: Mapping[str, _Array]
    magnitude: _Array
    rows_changed: Mapping[str, float]
    blocks: tuple[tuple[str, int], ...]
    rows: int

    @property
    def relative(self) -> dict[str, float]:
        """Change of all units together over their magnitude, by feature."""
        total = float(self.magnitude.sum())
        return {
            name: float(change.sum()) / total if total else math.nan
            for name, change in self.change.items()
        }

    def to_dict(self) -> dict[str, Any]:
        """Returns everything as numbers and lists, fit for JSON."""
        return {
            "rows": self.rows,
            "blocks": [list(block) for block in self.blocks],
            "magnitude": self.magnitude.tolist(),
            "features": {
                name: {
                    "relative": self.relative[name],
                    "rows_changed": self.rows_changed[name],
                    "change": change.tolist(),
                }
                for name, change in self.change.items()
            },
        }

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draws one strip of units a feature; deeper colour is more change.

        Args:
            ax: where to draw; a new figure if None.

        Raises:
            ImportError: if matplotlib is not installed.
        """
        count, units = len(self.change), len(self.magnitude)
        if ax is None:
            [ax] = new_axes(width=8.0, height=1.2 + 0.55 * count)
        top = max((change.max() for change in self.change.values()), default=0.0)
        for place, change in enumerate(self.change.values()):
            image = ax.imshow(
                change[None],
                extent=(0, units, place + 0.38, place - 0.38),
                aspect="auto",
                interpolation="nearest",
                cmap="Blues",
                vmin=0,
                vmax=top or 1.0,
            )
        ax.set(xlim=(0, units), ylim=(count - 0.5, -0.5))
        ax.set_yticks(
            range(count),
            [f"{name}  {100 * share:.3g}%" for name, share in self.relative.items()],
        )
        _mark_blocks(ax, self.blocks)
        ax.set_xlabel("unit   (%: change of all units over their magnitude)")
        ax.tick_params(left=False)
        ax.spines[:].set_visible(False)
        ax.figure.colorbar(image, ax=ax, label="mean |change|")
        return ax


def masking_sensitivity(
    model: Any,
    batches: Iterable[Any],
    features: Names,
    layer: str | Sequence[str] | None = None,
    masked_layers: Names = (),
) -> MaskingSensitivity:
    """Measures the change of activations near the end when a feature is masked by 0.

    For feature f and unit u it is the mean of `|a_u(x) - a_u(x, f = 0)|` over all rows
    (Sec. 1, Fig. 1b). The paper masks the feature's value, an indicator of 0 and 1.
    Where the input is an id, 0 is an id as well, and its embedding is whatever the
    table holds; to mask such a feature by an embedding of 0, name the layer that looks
    it up in `masked_layers`.

    Args:
        model: a model that is called with a mapping of inputs.
        batches: mappings of inputs [batch, ...], or tuples that begin with one, as a
            data set of `(inputs, labels)` gives them.
        features: the inputs to mask, one feature each; or a mapping of a feature's name
            to its input or inputs.
        layer: the layer, or layers, whose outputs to compare: a name or the end of a
            path. By default what the last layers with weights read, those that compute
            the model's outputs.
        masked_layers: further features, masked by setting all outputs of the layer or
            layers to 0; written as `features`.

    Returns:
        The changes, [units] a feature. Axes of the activations after the batch are
        units, all of them.

    Raises:
        ValueError: if a feature or a layer is unknown, there is nothing to mask, no
            batch, or the last layers cannot be told.
        TypeError: if a batch is not a mapping, or an input to be masked not numeric.

    Examples:
        >>> import numpy as np
        >>> from poso_keras._backend import keras
        >>> inputs = {n: keras.Input((1,), name=n) for n in ("is_new_user", "country")}
        >>> hidden = keras.layers.Concatenate()(list(inputs.values()))
        >>> hidden = keras.layers.Dense(4, name="hidden")(hidden)
        >>> model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
        >>> batch = {"is_new_user": np.zeros((8, 1)), "country": np.ones((8, 1))}
        >>> result = masking_sensitivity(model, [batch], ["is_new_user", "country"])
        >>> result.change["is_new_user"]
        array([0., 0., 0., 0.])
        >>> result.rows_changed
        {'is_new_user': 0.0, 'country': 1.0}
    """
    inputs_of, layers_of = _as_groups(features), _as_groups(masked_layers)
    _check_features(inputs_of, layers_of)
    sums = _Sums()
    activations: Activations | None = None
    for batch in batches:
        inputs = _inputs(batch)
        masked = {name: _masked(inputs, names) for name, names in inputs_of.items()}
        if activations is None:
            run_in_inference(model, inputs)  # makes the layers that a build makes
            layers = layers_by_path(model)
            activations = find_activations(model, layers, inputs, layer)
            zeroed = _find_layers(layers, layers_of)
        sums.add_plain(activations.compute(inputs))
        for name, masked_inputs in masked.items():
            sums.add_masked(name, activations.compute(masked_inputs))
        for name, owners in zeroed.items():
            with zeroed_outputs(owners):
                sums.add_masked(name, activations.compute(inputs))
    if not sums.rows:
        raise ValueError("`batches` must hold at least one row. Received: none")
    return sums.result()


class _Sums:
    """Sums over the rows seen so far."""

    def __init__(self) -> None:
        self.rows = 0
        self._blocks: dict[str, int] = {}
        self._plain: _Array = np.zeros(())
        self._magnitude: _Array = np.zeros(())
        self._change: dict[str, _Array] = {}
        self._rows_changed: dict[str, int] = {}

    def add_plain(self, activations: Mapping[str, _Array]) -> None:
        """Adds a batch, unmasked."""
        self._blocks = {name: block.shape[1] for name, block in activations.items()}
        self._plain = np.concatenate(list(activations.values()), axis=1)
        self._magnitude = self._magnitude + np.abs(self._plain).sum(axis=0)
        self.rows += len(self._plain)

    def add_masked(self, feature: str, activations: Mapping[str, _Array]) -> None:
        """Adds the same batch again, the feature masked."""
        masked = np.concatenate(list(activations.values()), axis=1)
        change = np.abs(masked - self._plain)
        self._change[feature] = self._change.get(feature, 0.0) + change.sum(axis=0)
        rows_changed = int(np.any(change > 0, axis=1).sum())
        self._rows_changed[feature] = self._rows_changed.get(feature, 0) + rows_changed

    def result(self) -> MaskingSensitivity:
        """Returns the means."""
        return MaskingSensitivity(
            change={name: total / self.rows for name, total in self._change.items()},
            magnitude=self._magnitude / self.rows,
            rows_changed={n: k / self.rows for n, k in self._rows_changed.items()},
            blocks=tuple(self._blocks.items()),
            rows=self.rows,
        )


def _as_groups(names: Names) -> dict[str, list[str]]:
    """Returns what to mask together, by the feature's name."""
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, Mapping):
        return {name: [name] for name in names}
    return {
        feature: [members] if isinstance(members, str) else list(members)
        for feature, members in names.items()
    }


def _check_features(inputs_of: Mapping[str, Any], layers_of: Mapping[str, Any]) -> None:
    twice = inputs_of.keys() & layers_of.keys()
    if twice or not (inputs_of or layers_of):
        raise ValueError(
            "`features` and `masked_layers` must name at least one feature, and none "
            f"twice. Received: {list(inputs_of)} and {list(layers_of)}"
        )


def _find_layers(
    layers: Mapping[Path, Any], groups: Mapping[str, Sequence[str]]
) -> dict[str, list[Any]]:
    return {
        feature: [layers[find_layer(layers, name)] for name in names]
        for feature, names in groups.items()
    }


def _inputs(batch: Any) -> Inputs:
    inputs = batch[0] if isinstance(batch, tuple) and batch else batch
    if not isinstance(inputs, Mapping):
        raise TypeError(
            "a batch must be a mapping of inputs, or a tuple that begins with one. "
            f"Received: {type(inputs).__name__}"
        )
    return inputs


def _masked(inputs: Inputs, names: Sequence[str]) -> Inputs:
    masked = dict(inputs)
    for name in names:
        if name not in inputs:
            near = difflib.get_close_matches(name, inputs, cutoff=0.4) or list(inputs)
            raise ValueError(
                f"a feature must be an input of the model. Received: {name!r}; "
                f"the batch has {', '.join(near)}"
            )
        array = as_array(inputs[name])
        if array.dtype.kind in "OSU":
            raise TypeError(
                f"a feature masked by 0 must be numeric. Received: {name!r} of dtype "
                f"{array.dtype}; mask the layer that reads it, by `masked_layers`"
            )
        masked[name] = np.zeros_like(array)
    return masked


def _mark_blocks(ax: "Axes", blocks: Sequence[tuple[str, int]]) -> None:
    """Separates the layers' units, with the layers' names above."""
    start = 0
    for name, width in blocks:
        if start:
            ax.axvline(start, color="0.3", lw=0.8)
        ax.text(start + width / 2, -0.5, name, ha="center", va="bottom", size=8)
        start += width
