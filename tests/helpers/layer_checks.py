"""What every layer of the library must do, checked in one call."""

import json
from typing import Any

import numpy as np

from poso_keras._backend import KERAS_3, keras
from tests.helpers.backends import (
    BACKEND,
    ON_TENSORFLOW,
    as_arrays,
    as_list,
    gradients,
    gradients_recorded,
)

TOLERANCE = {"mixed_bfloat16": 0.1, "mixed_float16": 0.02}
if ON_TENSORFLOW:  # elsewhere Keras itself multiplies in float32 at most
    TOLERANCE["float64"] = 1e-5


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def named_weights(layer: Any) -> dict[str, np.ndarray]:
    """The weights by their path below the layer, in the order of `get_weights`."""
    paths = [w.path if KERAS_3 else w.name.removesuffix(":0") for w in layer.weights]
    return {
        path.removeprefix(layer.name + "/"): value
        for path, value in zip(paths, layer.get_weights(), strict=True)
    }


def randomize(layer: Any, seed: int = 0) -> None:
    """Replaces all weights, so that no gate is at its start."""
    rng = np.random.default_rng(seed)
    layer.set_weights(
        [rng.normal(scale=0.5, size=w.shape) for w in layer.get_weights()]
    )


def standard_dtype(dtype: Any) -> str:
    return keras.backend.standardize_dtype(dtype) if KERAS_3 else dtype.name


def outputs_of(layer: Any, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Calls a layer and returns its outputs as arrays, always as a list."""
    return as_arrays(layer(*arrays.values()))


def run_layer_checks(
    layer_class: type,
    config: dict[str, Any],
    arrays: dict[str, np.ndarray],
    output_shapes: list[tuple[int, ...]],
    weight_names: list[str],
    tmp_path: Any,
) -> None:
    """Checks shapes, names, configuration, dtypes, saving, jit and training.

    Args:
        layer_class: the class to check.
        config: its constructor arguments.
        arrays: the tensor arguments of `call`, by name and in order.
        output_shapes: the shape of each output.
        weight_names: the paths of the weights, in order.
        tmp_path: an empty folder.
    """
    layer = layer_class(**config)
    outputs = outputs_of(layer, arrays)
    assert [y.shape for y in outputs] == output_shapes
    assert all(np.isfinite(y).all() for y in outputs)
    assert list(named_weights(layer)) == weight_names
    randomize(layer)
    _check_output_shape(layer, arrays, output_shapes)
    _check_config(layer, arrays)
    _check_dtypes(layer, arrays)
    _check_gradients(layer, arrays)
    _check_saving(layer, arrays, tmp_path)
    _check_training(layer_class(**config), arrays)


def _check_output_shape(layer: Any, arrays: Any, output_shapes: Any) -> None:
    shapes = [a.shape for name, a in arrays.items() if not name.endswith("_mask")]
    inferred = layer.compute_output_shape(*shapes)
    assert (list(inferred) if len(output_shapes) > 1 else [inferred]) == output_shapes


def _check_config(layer: Any, arrays: Any) -> None:
    config = layer.get_config()
    copy = type(layer).from_config(json.loads(json.dumps(config)))
    assert json.dumps(copy.get_config()) == json.dumps(config)
    outputs_of(copy, arrays)
    copy.set_weights(layer.get_weights())
    for a, b in zip(outputs_of(layer, arrays), outputs_of(copy, arrays), strict=True):
        np.testing.assert_array_equal(a, b)


def _check_dtypes(layer: Any, arrays: Any) -> None:
    expected = outputs_of(layer, arrays)
    for policy, tolerance in TOLERANCE.items():
        config = {**layer.get_config(), "dtype": policy}
        copy = type(layer).from_config(config)
        copy(*arrays.values())
        copy.set_weights(layer.get_weights())
        result = copy(*arrays.values())
        several = as_list(result)
        compute = policy.removeprefix("mixed_")
        variable = "float64" if policy == "float64" else "float32"
        assert {standard_dtype(y.dtype) for y in several} == {compute}
        assert {standard_dtype(w.dtype) for w in copy.weights} <= {variable}
        for a, b in zip(expected, as_arrays(result), strict=True):
            np.testing.assert_allclose(b, a, rtol=0, atol=tolerance * np.abs(a).max())


def _check_gradients(layer: Any, arrays: Any) -> None:
    """Compiled and eager, outputs and gradients are the same, and finite."""
    expected = outputs_of(layer, arrays)
    eager, compiled = (gradients(layer, arrays, compiled=c) for c in (False, True))
    for given in (eager, compiled):
        for a, b in zip(expected, given[0], strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-4)
    for a, b in zip(eager[1] + eager[2], compiled[1] + compiled[2], strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-3)


def _functional(layer: Any, arrays: Any) -> Any:
    inputs = {
        name: keras.Input(a.shape[1:], name=name, dtype=a.dtype.name)
        for name, a in arrays.items()
    }
    heads = as_list(layer(*inputs.values()))
    return keras.Model(inputs, [keras.layers.Dense(1)(head) for head in heads])


def _check_saving(layer: Any, arrays: Any, tmp_path: Any) -> None:
    model = _functional(layer, arrays)
    expected = as_arrays(model.predict(arrays, verbose=0))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    reloaded = as_arrays(loaded.predict(arrays, verbose=0))
    for a, b in zip(expected, reloaded, strict=True):
        np.testing.assert_array_equal(a, b)

    model.save_weights(tmp_path / "model.weights.h5")
    layer.set_weights([0 * w for w in layer.get_weights()])
    model.load_weights(tmp_path / "model.weights.h5")
    for a, b in zip(expected, as_arrays(model.predict(arrays, verbose=0)), strict=True):
        np.testing.assert_array_equal(a, b)

    for a, b in zip(expected, _exported(model, arrays, tmp_path), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5)


def _exported(model: Any, arrays: Any, tmp_path: Any) -> list[np.ndarray]:
    """The model's outputs by what `model.export` wrote, without the model."""
    if BACKEND == "torch":
        import torch

        any_batch = {name: {0: torch.export.Dim("batch")} for name in arrays}
        model.export(
            tmp_path / "model.pt2",
            format="torch",
            verbose=False,
            dynamic_shapes=[any_batch],
        )
        program = torch.export.load(tmp_path / "model.pt2").module()
        return as_arrays(program({k: torch.tensor(a) for k, a in arrays.items()}))
    import tensorflow as tf

    folder = str(tmp_path / "saved_model")
    model.export(folder, **({"verbose": False} if KERAS_3 else {}))
    restored = tf.saved_model.load(folder)
    tensors = {k: tf.constant(a) for k, a in arrays.items()}
    if KERAS_3:
        scores = restored.serve(tensors)
    else:  # a list, or what is in it
        listed = [tensors[name] for name in model.input_names]
        scores = restored.serve(listed if len(listed) > 1 else listed[0])
    return [np.array(score) for score in as_list(scores)]


def _check_training(layer: Any, arrays: Any) -> None:
    """One step moves every weight."""
    model = _functional(layer, arrays)
    before = layer.get_weights()
    batch = len(next(iter(arrays.values())))
    targets = [normal(batch, 1, seed=9) for _ in as_list(model.outputs)]
    model.compile(keras.optimizers.Adam(0.01), loss="mse", jit_compile=False)
    with gradients_recorded(True):
        history = model.fit(arrays, targets, batch_size=batch, epochs=1, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    names = list(named_weights(layer))
    for name, old, new in zip(names, before, layer.get_weights(), strict=True):
        assert np.isfinite(new).all()
        assert not np.array_equal(old, new), f"{name} did not learn"
