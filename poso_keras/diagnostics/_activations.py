"""The activations near the end of a model: where they are, and their values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from poso_keras._backend import as_shape
from poso_keras.diagnostics._calls import (
    LayerCall,
    as_array,
    flatten,
    recorded_calls,
    run_in_inference,
)
from poso_keras.diagnostics._layer_tree import Path, find_layer
from poso_keras.diagnostics._operations import elements


@dataclass(frozen=True)
class Activations:
    """What to look at in a model.

    Attributes:
        model: the model.
        layers: the layers to watch, by name.
        of_inputs: whether to look at what they read or at what they return.
    """

    model: Any
    layers: Mapping[str, Any]
    of_inputs: bool

    def compute(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """Returns the activations [batch, units] in inference, by layer.

        All axes after the batch are units. A tensor that two layers read is taken
        once; the second call of a layer is `name#2`, its second tensor `name[1]`.
        """
        with recorded_calls(self.layers.values()) as calls:
            run_in_inference(self.model, inputs)
        found: dict[str, np.ndarray[Any, Any]] = {}
        seen: list[Any] = []
        for name, layer in self.layers.items():
            own = [call for call in calls if call.layer is layer]
            for time, call in enumerate(own, start=1):
                tensors = call.inputs if self.of_inputs else flatten(call.outputs)
                for index, tensor in enumerate(tensors):
                    if any(tensor is other for other in seen):
                        continue
                    seen.append(tensor)
                    key = name if time == 1 else f"{name}#{time}"
                    key += f"[{index}]" if len(tensors) > 1 else ""
                    found[key] = _by_row(tensor)
        return found


def _by_row(tensor: Any) -> np.ndarray[Any, Any]:
    """[batch, ..., units] -> [batch, size], float64."""
    array = as_array(tensor).astype("float64")
    return array.reshape(len(array), -1)


def find_activations(
    model: Any,
    layers: Mapping[Path, Any],
    inputs: Mapping[str, Any],
    names: str | Sequence[str] | None,
) -> Activations:
    """Returns the outputs of the named layers or, for None, what the last layers read.

    Args:
        model: the model.
        layers: its layers by path.
        inputs: one batch.
        names: see `masking_sensitivity`.

    Raises:
        ValueError: if there is no such layer, or the last layers cannot be told.
    """
    if names is not None:
        wanted = [names] if isinstance(names, str) else list(names)
        paths = [find_layer(layers, name) for name in wanted]
        chosen = {"/".join(path): layers[path] for path in paths}
        return Activations(model, chosen, of_inputs=False)
    below = {path: layer for path, layer in layers.items() if path}
    with recorded_calls(below.values()) as calls:
        outputs = run_in_inference(model, inputs)
    heads = [_head(calls, output) for output in flatten(outputs)]
    if None in heads or not heads:
        raise ValueError(
            "the last layers of this model cannot be told, since its outputs are not "
            "those of a layer with weights: name some with `layer`. Received: "
            f"layer=None, a model with the layers {', '.join(map('/'.join, below))}"
        )
    names_of = {id(layer): "/".join(path) for path, layer in below.items()}
    chosen = {names_of[id(head)]: head for head in heads}
    return Activations(model, chosen, of_inputs=True)


def _head(calls: Sequence[LayerCall], output: Any) -> Any:
    """The layer with weights that computed an output, or None.

    Layers without weights are walked through: dropout, a final sigmoid.
    """
    call = _producer(calls, output, before=math.inf)
    while call is not None and not getattr(call.layer, "weights", ()):
        if len(call.inputs) != 1:
            return None
        call = _producer(calls, call.inputs[0], call.index)
    return None if call is None else call.layer


def _producer(
    calls: Sequence[LayerCall], value: Any, before: float
) -> LayerCall | None:
    """The last call that began before another one and returned this value.

    Models squeeze and reshape outside of layers, so tensors are compared by value. Of
    a layer and the sub-layer that made its output, the sub-layer began last.
    """
    earlier = [call for call in calls if call.index < before]
    for call in sorted(earlier, key=lambda call: call.index, reverse=True):
        if any(_same(output, value) for output in flatten(call.outputs)):
            return call
    return None


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if elements(as_shape(a)) != elements(as_shape(b)):
        return False
    return np.array_equal(np.ravel(as_array(a)), np.ravel(as_array(b)))
