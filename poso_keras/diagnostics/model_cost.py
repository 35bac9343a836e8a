"""Parameters and FLOPs of a model, module by module (the paper's Table 1)."""

import inspect
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from poso_keras._backend import as_shape, keras
from poso_keras.diagnostics._calls import (
    LayerCall,
    map_structure,
    recorded_calls,
    run_in_inference,
)
from poso_keras.diagnostics._figures import new_axes
from poso_keras.diagnostics._keras_operations import Rule, keras_rules
from poso_keras.diagnostics._layer_operations import layer_rules
from poso_keras.diagnostics._layer_tree import Path, is_graph, layers_by_path
from poso_keras.diagnostics._operations import Operations, elements

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class ModuleCost:
    """What one module costs, all layers below it included.

    Attributes:
        module: its path in the model, `mmoe/gate`.
        parameters: its weights' elements, trainable or not. A shared layer counts in
            the first module that owns it.
        flops: floating-point operations, 2 per multiply-add. Less what `not_counted`
            names, and NaN if that is all there is.
        multiply_adds: multiply-adds of matrix products among them.
        share: its part of the model's counted FLOPs.
        not_counted: paths of the layers whose own arithmetic is not known.
    """

    module: str
    parameters: int
    flops: float
    multiply_adds: float
    share: float
    not_counted: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelCost:
    """A table of modules. `print` it, or take `rows`.

    Attributes:
        rows: the modules, parents before children.
        total: the whole model; may exceed the sum of its modules by what the model
            does between them.
    """

    rows: tuple[ModuleCost, ...]
    total: ModuleCost

    def to_dict(self) -> dict[str, Any]:
        """Returns `{"rows": [...], "total": {...}}` fit for JSON: NaN becomes None."""
        return {
            "rows": [_plain(row) for row in self.rows],
            "total": _plain(self.total),
        }

    def __str__(self) -> str:
        rows = [*self.rows, self.total]
        width = max(len("module"), *(len(row.module) for row in rows))
        lines = [f"{'module':{width}}  {'parameters':>13}  {'FLOPs':>15}  {'share':>6}"]
        lines += [
            f"{row.module:{width}}  {row.parameters:>13,}  {_flops_text(row):>15}"
            f"  {_share_text(row.share):>6}"
            for row in rows
        ]
        if self.total.not_counted:
            lines.append(f"not counted: {', '.join(self.total.not_counted)}")
        return "\n".join(lines)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draws each module's share of the parameters and of the FLOPs.

        Args:
            ax: where to draw; a new figure if None.

        Raises:
            ImportError: if matplotlib is not installed.
        """
        rows = self.rows or (self.total,)
        if ax is None:
            [ax] = new_axes(height=1.1 + 0.5 * len(rows), width=7.0)
        places = np.arange(len(rows))
        columns = (
            ("parameters", self.total.parameters, "#4c72b0", -0.2),
            ("FLOPs", self.total.flops, "#dd8452", 0.2),
        )
        for name, total, color, shift in columns:
            values = [float(getattr(row, name.lower())) for row in rows]
            shares = np.array(values) * (100 / total if total else math.nan)
            ax.barh(
                places + shift, np.nan_to_num(shares), 0.36, color=color, label=name
            )
            for place, value, share in zip(places, values, shares, strict=True):
                text = " not counted" if math.isnan(value) else f" {_short(value)}"
                ax.text(np.nan_to_num(share), place + shift, text, va="center", size=8)
        ax.set_yticks(places, [row.module for row in rows])
        ax.invert_yaxis()
        ax.set_xlim(0, 115)
        ax.set_xticks(range(0, 101, 20))
        ax.set_xlabel("share of the model, %")
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False)
        ax.spines[["top", "right"]].set_visible(False)
        return ax


def model_cost(
    model: Any,
    inputs: Any = None,
    depth: int = 1,
    rules: Mapping[type, Rule] | None = None,
) -> ModelCost:
    """Counts the parameters and the FLOPs of a model's modules in inference.

    The model is run on `inputs`, and each layer counted from the shapes it is called
    with, as it computes: `POSOMultiHeadAttention` in its cheap order. A multiply-add is
    2 FLOPs, other arithmetic on an element 1, a sigmoid 4, a softmax 5 per element;
    moving, casting and looking up are 0.

    A layer's own arithmetic, less that of its sub-layers, is known for the layers of
    this library, the common ones of Keras, functional and Sequential models, any class
    in `rules` and any layer with a method `count_operations` (its parameters named as
    those of `call`, with `_shape` appended; it returns an `Operations`). Every other
    layer is named in `not_counted`, also if it only passes tensors on.

    Args:
        model: a model or layer. Its `call` must not be compiled.
        inputs: what to call it with. A tuple is spread over several arguments. Defaults
            to one example, which functional models alone can make up.
        depth: 1 for the model's own layers, 2 for their sub-layers as well, and so on.
        rules: how to count further layer classes: functions of the layer and the
            `LayerCall`.

    Returns:
        A table. FLOPs are those of the whole of `inputs`.

    Raises:
        ValueError: if `inputs` is missing, or a layer hides its sub-layers by
            compiling its `call`.

    Examples:
        >>> import numpy as np
        >>> from poso_keras import POSODense
        >>> layer = POSODense(4, activation="relu", gate_hidden_units=2)
        >>> one_example = (np.ones((1, 8), "float32"), np.ones((1, 3), "float32"))
        >>> cost = model_cost(layer, one_example)
        >>> [(row.module, row.parameters, row.flops) for row in cost.rows]
        [('gate', 20, 56)]
        >>> cost.total.parameters, cost.total.flops
        (56, 132)
    """
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    if inputs is None:
        arguments = (_one_example(model),)
    run_in_inference(model, *arguments)  # makes the layers that a build makes
    layers = layers_by_path(model)
    with recorded_calls(layers.values()) as calls:
        run_in_inference(model, *arguments)
    operations = _own_operations(layers, calls, {**keras_rules(), **(rules or {})})
    parameters = _own_parameters(layers)
    flops = sum(own.flops for own in operations.values())
    name = getattr(model, "name", type(model).__name__)

    def row(path: Path) -> ModuleCost:
        return _row(path, name, operations, parameters, flops)

    shown = [
        path
        for path in layers
        if 0 < len(path) <= depth and (_below(path, operations) or row(path).parameters)
    ]
    return ModelCost(tuple(row(path) for path in shown), row(()))


def _one_example(model: Any) -> Any:
    if not is_graph(model) or getattr(model, "inputs", None) is None:
        raise ValueError(
            "`inputs` is needed for a model that does not know the shapes of its "
            f"inputs. Received: inputs=None, model={model!r}"
        )

    def zeros(tensor: Any) -> np.ndarray[Any, Any]:
        shape = (1, *as_shape(tensor)[1:])
        if None in shape:
            raise ValueError(
                "`inputs` is needed for a model whose inputs have unknown sizes. "
                f"Received: inputs=None, an input of shape {as_shape(tensor)}"
            )
        dtype = getattr(tensor.dtype, "name", tensor.dtype)
        return np.zeros([int(size or 0) for size in shape], dtype)

    single = isinstance(model, keras.Sequential)
    return map_structure(zeros, model.inputs[0] if single else model.input)


def _own_operations(
    layers: Mapping[Path, Any],
    calls: list[LayerCall],
    rules: Mapping[type, Rule],
) -> dict[Path, Operations]:
    """What each layer that was called does, less what its sub-layers do."""
    paths = {id(layer): path for path, layer in layers.items()}
    totals: defaultdict[Path, Operations] = defaultdict(Operations)
    for call in calls:
        totals[paths[id(call.layer)]] += _call_operations(call, rules)
    for path, layer in layers.items():
        if getattr(layer, "quantization_mode", None):  # another method than `call`
            totals[path] += Operations(complete=False)
    return dict(totals)


def _call_operations(call: LayerCall, rules: Mapping[type, Rule]) -> Operations:
    rule = rules.get(type(call.layer)) or _inherited_rule(type(call.layer))
    if rule is None:
        return Operations(complete=is_graph(call.layer))
    return rule(call.layer, call)


def _inherited_rule(layer_class: type) -> Rule | None:
    """The rule of the class whose `call` is used, if it has one.

    A class that defines a `call` of its own may do what no rule of a base knows.
    """
    for owner in layer_class.__mro__:
        if owner in layer_rules():
            return layer_rules()[owner]
        if "count_operations" in vars(owner):
            return _counted_by_itself
        if "call" in vars(owner):
            return None
    return None


def _counted_by_itself(layer: Any, call: LayerCall) -> Operations:
    wanted = inspect.signature(layer.count_operations).parameters
    shapes = {f"{name}_shape": shape for name, shape in call.shapes.items()}
    given = {name: shapes[name] for name in wanted if name in shapes}
    own: Operations = layer.count_operations(**given)
    return own


def _own_parameters(layers: Mapping[Path, Any]) -> dict[Path, int]:
    """Sizes of each layer's weights, a weight being its deepest owner's."""
    counts: dict[Path, int] = {}
    seen: set[int] = set()
    for path in sorted(layers, key=len, reverse=True):
        weights = {id(w): w for w in getattr(layers[path], "weights", ())}
        counts[path] = sum(
            elements(as_shape(weight))
            for key, weight in weights.items()
            if key not in seen
        )
        seen.update(weights)
    return counts


def _row(
    path: Path,
    name: str,
    operations: Mapping[Path, Operations],
    parameters: Mapping[Path, int],
    model_flops: int,
) -> ModuleCost:
    """The module at `path` with all below it; `name` is the model's."""
    inside = _below(path, operations)
    total = sum(inside.values(), Operations())
    missing = [key for key, own in inside.items() if not own.complete]
    unknown = bool(missing) and total.flops == 0
    return ModuleCost(
        module="/".join(path) or name,
        parameters=sum(_below(path, parameters).values()),
        flops=math.nan if unknown else total.flops,
        multiply_adds=math.nan if unknown else total.multiply_adds,
        share=total.flops / model_flops if model_flops and not unknown else math.nan,
        not_counted=tuple("/".join(key) or name for key in missing),
    )


def _below(path: Path, values: Mapping[Path, _Value]) -> dict[Path, _Value]:
    return {k: value for k, value in values.items() if k[: len(path)] == path}


def _plain(row: ModuleCost) -> dict[str, Any]:
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in asdict(row).items()
    }


def _flops_text(row: ModuleCost) -> str:
    if math.isnan(row.flops):
        return "not counted"
    return f"{'>= ' if row.not_counted else ''}{row.flops:,.0f}"


def _share_text(share: float) -> str:
    return "" if math.isnan(share) else f"{100 * share:.1f}%"


def _short(value: float) -> str:
    """2480000 as 2.48M."""
    for unit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{suffix}"
    return f"{value:.0f}"
