"""The layers of a model by path: `mmoe/gate/hidden`."""

import difflib
import functools
from collections.abc import Mapping
from typing import Any, TypeAlias

from poso_keras._backend import keras

Path: TypeAlias = tuple[str, ...]


def layers_by_path(model: Any) -> dict[Path, Any]:
    """Returns the model, at `()`, and all layers below it, parents first.

    A layer with several owners is listed once, below the first. Of siblings with one
    name the second is called `name_1` and so on. The graph of a functional model may
    hold operations that are no layers; they are listed as its children.
    """
    layers: dict[Path, Any] = {(): model}
    seen = {id(model)}

    def visit(layer: Any, path: Path) -> None:
        for child in sublayers(layer):
            if id(child) in seen:
                continue
            seen.add(id(child))
            child_path = _free_path(layers, path, child.name)
            layers[child_path] = child
            visit(child, child_path)

    visit(model, ())
    return layers


def sublayers(layer: Any) -> list[Any]:
    """Returns the direct children of a layer, less metrics."""
    if not hasattr(layer, "_flatten_layers"):  # an operation in a functional model
        return []
    children = list(layer._flatten_layers(recursive=False, include_self=False))
    if is_graph(layer):
        children += getattr(layer, "operations", [])
    return [child for child in children if not isinstance(child, keras.metrics.Metric)]


def is_graph(layer: Any) -> bool:
    """Whether a layer is a Sequential or functional model, which only calls others."""
    return getattr(type(layer), "call", None) in _graph_calls()


@functools.cache
def _graph_calls() -> tuple[Any, ...]:
    x = keras.Input((1,), name="x")
    functional = type(
        keras.Model(x, keras.layers.Flatten(name="flat")(x), name="model")
    )
    return (functional.call, keras.Sequential.call)


def _free_path(taken: Mapping[Path, Any], parent: Path, name: str) -> Path:
    path, number = (*parent, name), 0
    while path in taken:
        number += 1
        path = (*parent, f"{name}_{number}")
    return path


def find_layer(layers: Mapping[Path, Any], name: str) -> Path:
    """Returns the path of the one layer with this name or end of its path.

    Args:
        layers: as of `layers_by_path`.
        name: `dense`, or `tower/dense` where several layers are called `dense`.

    Raises:
        ValueError: if no layer or several have this name.
    """
    wanted = tuple(name.split("/"))
    paths = [path for path in layers if path]
    if wanted in layers and wanted:
        return wanted
    found = [path for path in paths if path[-len(wanted) :] == wanted]
    if len(found) == 1:
        return found[0]
    names = ["/".join(path) for path in (found or paths)]
    if found:
        raise ValueError(
            f"a layer's name must be its own; give the path. Received: {name!r}, "
            f"the name of {', '.join(names)}"
        )
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:10]
    raise ValueError(
        f"there must be a layer of that name. Received: {name!r}; "
        f"the model has {', '.join(near)}"
    )
