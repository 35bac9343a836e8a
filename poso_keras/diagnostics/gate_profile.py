"""What the gates of a model do as the personalization code varies (Fig. 4)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from poso_keras._backend import as_shape
from poso_keras.diagnostics._calls import (
    as_array,
    map_structure,
    recorded_calls,
    run_in_inference,
)
from poso_keras.diagnostics._figures import as_axes, new_axes
from poso_keras.diagnostics._gate_figure import (
    MOST_LINES,
    draw_lines,
    draw_map,
    label_codes,
)
from poso_keras.diagnostics._layer_tree import Path, is_graph, layers_by_path
from poso_keras.diagnostics.gate_numbers import GateNumbers, gate_numbers
from poso_keras.personalization_gate import PersonalizationGate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_Array: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True)
class GateProfile:
    """Gate outputs over personalization codes.

    Attributes:
        gates: outputs [codes, units] of each gate, by its path in the model. The second
            call of a gate in one run of the model is `path#2`.
        scales: the factor C of each gate, if known. Outputs lie in (0, C) and start
            training around C / 2.
        starts: outputs [codes, units] of each gate when training began, if recorded.
    """

    gates: Mapping[str, _Array]
    scales: Mapping[str, float] = field(default_factory=dict)
    starts: Mapping[str, _Array] = field(default_factory=dict)

    def numbers(self) -> dict[str, GateNumbers]:
        """Returns how far each gate moved, and how it tells codes and units apart.

        The start of a gate is what `starts` holds of it, else C / 2.

        Raises:
            ValueError: if the scale of a gate is unknown.
        """
        unknown = sorted(self.gates.keys() - self.scales.keys())
        if unknown:
            raise ValueError(
                f"`scales` must have the scale of every gate. Missing: {unknown}"
            )
        return {
            name: gate_numbers(outputs, self.scales[name], self.starts.get(name))
            for name, outputs in self.gates.items()
        }

    def to_dict(self) -> dict[str, list[list[float]]]:
        """Returns the matrices as nested lists, fit for JSON."""
        return {name: matrix.tolist() for name, matrix in self.gates.items()}

    def plot(
        self,
        labels: Sequence[Any] | None = None,
        xlabel: str = "personalization code",
        ax: "Axes | Sequence[Axes] | None" = None,
    ) -> "list[Axes]":
        """Draws each gate's outputs over the codes, one panel per gate.

        Up to eight units are lines, as in Fig. 4, more a map of colours. The dotted
        line, and white in a map, is C / 2, around which a gate starts.

        Args:
            labels: what to write below each code; its number by default.
            xlabel: what the codes are, such as `accumulated view count`.
            ax: where to draw, one Axes a gate; a new figure if None.

        Raises:
            ImportError: if matplotlib is not installed.
        """
        count = len(self.gates)
        axes = new_axes(count) if ax is None else as_axes(ax, count)
        for axis, (name, matrix) in zip(axes, self.gates.items(), strict=True):
            draw = draw_lines if matrix.shape[1] <= MOST_LINES else draw_map
            draw(axis, matrix, self.scales.get(name))
            label_codes(axis, len(matrix), labels)
            axis.set(title=name, xlabel=xlabel)
        return axes


def gate_profile(
    model: Any,
    codes: Any,
    example: Mapping[str, Any] | None = None,
    start: GateProfile | None = None,
) -> GateProfile:
    """Computes the outputs of every `PersonalizationGate` of a model.

    Args:
        model: a model or layer, built, or a gate itself.
        codes: personalization codes [codes, code_dim], given to the gates as they are;
            or a mapping of model inputs [codes, ...] from which the model computes the
            code, such as `{"avc_bucket": np.arange(20)}`.
        example: with such a mapping, the model's other inputs: the first row of each
            is repeated for every code. Those missing are 0 in a functional model,
            which gates that read the code alone do not see.
        start: the profile of the same model for the same codes before it was trained,
            which `GateProfile.numbers` measures from.

    Returns:
        The outputs, [codes, units] a gate.

    Raises:
        ValueError: if the model has no gate, is not built, its gates see another
            number of codes, or `start` has other gates.

    Examples:
        >>> import numpy as np
        >>> from poso_keras import POSOMMoE
        >>> layer = POSOMMoE(num_experts=4, expert_units=(8,), num_tasks=2)
        >>> _ = layer(np.ones((1, 5), "float32"), np.ones((1, 3), "float32"))
        >>> profile = gate_profile(layer, np.eye(3, dtype="float32"))
        >>> {name: outputs.shape for name, outputs in profile.gates.items()}
        {'gate': (3, 4)}
    """
    if isinstance(codes, Mapping):
        inputs = _model_inputs(model, codes, example)
        number = len(as_array(next(iter(codes.values()))))
        run_in_inference(model, inputs)  # finds the gates that a build makes
        gates = _gates(model)
        with recorded_calls(gates.values()) as calls:
            run_in_inference(model, inputs)
        found = [(call.layer, call.outputs) for call in calls]
    else:
        array = as_array(codes)
        if array.ndim != 2:
            raise ValueError(
                "`codes` must be [codes, code_dim] or a mapping of model inputs. "
                f"Received: codes.shape={array.shape}"
            )
        number = len(array)
        gates = _gates(model)
        found = [(gate, gate(array)) for gate in gates.values() if _built(gate)]
    names = {id(gate): _name(path, gate) for path, gate in gates.items()}
    profile = _profile(names, found, number)
    return profile if start is None else _since(profile, start)


def _gates(model: Any) -> dict[Path, Any]:
    gates = {
        path: layer
        for path, layer in layers_by_path(model).items()
        if isinstance(layer, PersonalizationGate)
    }
    if not gates:
        raise ValueError(
            f"the model must have a PersonalizationGate. Received: {model!r}"
        )
    return gates


def _built(gate: Any) -> bool:
    if not gate.built:
        raise ValueError(
            "the gates must be built: call the model once before. "
            f"Received: {gate.name!r}, not built"
        )
    return True


def _name(path: Path, gate: Any) -> str:
    return "/".join(path) or gate.name


def _profile(
    names: Mapping[int, str], found: Sequence[tuple[Any, Any]], number: int
) -> GateProfile:
    outputs_of: dict[str, _Array] = {}
    scales: dict[str, float] = {}
    times: Counter[str] = Counter()
    for gate, outputs in found:
        name = names[id(gate)]
        times[name] += 1
        array = as_array(outputs).astype("float32")
        if len(array) != number:
            raise ValueError(
                f"each gate must see one code a row of `codes`, {number}. "
                f"Received: {name!r} with {len(array)}"
            )
        key = name if times[name] == 1 else f"{name}#{times[name]}"
        outputs_of[key], scales[key] = array, gate.scale
    return GateProfile(outputs_of, scales)


def _since(profile: GateProfile, start: GateProfile) -> GateProfile:
    if profile.gates.keys() != start.gates.keys():
        raise ValueError(
            f"`start` must be a profile of the same gates, {sorted(profile.gates)}. "
            f"Received: {sorted(start.gates)}"
        )
    return replace(profile, starts=start.gates)


def _model_inputs(
    model: Any, codes: Mapping[str, Any], example: Mapping[str, Any] | None
) -> dict[str, Any]:
    """All inputs of the model with one row per code."""
    given = {name: as_array(value) for name, value in codes.items()}
    sizes = {name: len(value) for name, value in given.items()}
    if len(set(sizes.values())) != 1:
        raise ValueError(
            f"all inputs in `codes` must have as many rows. Received: {sizes}"
        )
    number = next(iter(sizes.values()))
    others = {name: as_array(value)[:1] for name, value in (example or {}).items()}
    if is_graph(model) and isinstance(model.input, Mapping):
        others = {**map_structure(_zero_row, model.input), **others}
    repeated = {name: np.repeat(row, number, axis=0) for name, row in others.items()}
    return {**repeated, **given}


def _zero_row(tensor: Any) -> _Array:
    shape = (1, *(size or 1 for size in as_shape(tensor)[1:]))
    return np.zeros(shape, getattr(tensor.dtype, "name", tensor.dtype))
