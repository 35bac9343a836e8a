"""Watches the layers of a model while it runs, in every back end alike.

A layer's `__call__` looks up `self.call`, so an attribute `call` of the instance comes
before the method of its class. It is taken away afterwards, whatever happened.
"""

import contextlib
import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from poso_keras._backend import Shape, as_shape, ops
from poso_keras.diagnostics._layer_tree import sublayers

_MISSING = object()


@dataclass(frozen=True)
class LayerCall:
    """One call of one layer.

    Attributes:
        layer: the layer.
        index: place in the order in which calls began; a call made by another one has
            the higher index.
        arguments: what `call` was given, by the names of its parameters.
        outputs: what it returned.
    """

    layer: Any
    index: int
    arguments: Mapping[str, Any]
    outputs: Any

    @property
    def inputs(self) -> list[Any]:
        """The tensors of the first argument."""
        return flatten(next(iter(self.arguments.values()), None))

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shapes of the arguments that are tensors, by name."""
        return {
            name: as_shape(value)
            for name, value in self.arguments.items()
            if hasattr(value, "shape")
        }


@contextlib.contextmanager
def recorded_calls(layers: Iterable[Any]) -> Iterator[list[LayerCall]]:
    """Within the context, calls of these layers are appended to the list it gives.

    They come in the order in which they end. The model must run eagerly, and not in
    another thread as well.

    Raises:
        ValueError: if a layer compiles its `call`, which hides its sub-layers.
    """
    calls: list[LayerCall] = []
    counter = itertools.count()

    def recording(layer: Any) -> Callable[..., Any]:
        if not inspect.isfunction(type(layer).call) and sublayers(layer):
            raise ValueError(
                "the `call` of a layer must be plain Python for its sub-layers to be "
                f"seen: compile the caller instead. Received: {layer.name!r}, whose "
                f"`call` is a {type(type(layer).call).__name__}"
            )
        call = layer.call
        signature = inspect.signature(call)

        @functools.wraps(call)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            index = next(counter)
            outputs = call(*args, **kwargs)
            arguments = dict(signature.bind(*args, **kwargs).arguments)
            calls.append(LayerCall(layer, index, arguments, outputs))
            return outputs

        return wrapper

    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(replaced_call(layer, recording(layer)))
        yield calls


@contextlib.contextmanager
def zeroed_outputs(layers: Iterable[Any]) -> Iterator[None]:
    """Within the context, these layers return zeros in place of their outputs.

    Raises:
        ValueError: at its end, if one of them was not called.
    """
    called: set[int] = set()

    def zeroing(layer: Any) -> Callable[..., Any]:
        call = layer.call

        @functools.wraps(call)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            called.add(id(layer))
            return map_structure(ops.zeros_like, call(*args, **kwargs))

        return wrapper

    layers = list(layers)
    with contextlib.ExitStack() as stack:
        for layer in layers:
            stack.enter_context(replaced_call(layer, zeroing(layer)))
        yield
    idle = [layer.name for layer in layers if id(layer) not in called]
    if idle:
        raise ValueError(
            "a layer whose outputs are masked must be called by the model. Received: "
            f"{', '.join(idle)}, not called"
        )


@contextlib.contextmanager
def replaced_call(layer: Any, call: Callable[..., Any]) -> Iterator[None]:
    """Within the context, `layer` computes `call` in place of its own `call`."""
    before = vars(layer).get("call", _MISSING)
    # Keras, TensorFlow and PyTorch each hook attributes; this one is none of theirs.
    object.__setattr__(layer, "call", call)
    try:
        yield
    finally:
        if before is _MISSING:
            object.__delattr__(layer, "call")
        else:
            object.__setattr__(layer, "call", before)


def run_in_inference(model: Any, *arguments: Any) -> Any:
    """Calls a model or layer as in inference, which is the default of most."""
    if "training" in inspect.signature(model.call).parameters:
        return model(*arguments, training=False)
    return model(*arguments)


def flatten(structure: Any) -> list[Any]:
    """Returns what is in nested mappings, lists and tuples, less None."""
    if structure is None:
        return []
    if isinstance(structure, Mapping):
        structure = list(structure.values())
    if isinstance(structure, list | tuple):
        return [leaf for part in structure for leaf in flatten(part)]
    return [structure]


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """Applies a function to what is in nested mappings, lists and tuples."""
    if isinstance(structure, Mapping):
        return {k: map_structure(function, v) for k, v in structure.items()}
    if isinstance(structure, list | tuple):
        parts = [map_structure(function, part) for part in structure]
        return parts if isinstance(structure, list) else tuple(parts)
    return None if structure is None else function(structure)


def as_array(tensor: Any) -> np.ndarray[Any, Any]:
    """Returns a tensor of any back end, or an array, as an array."""
    if isinstance(tensor, np.ndarray):
        return tensor
    return np.asarray(ops.convert_to_numpy(tensor))
