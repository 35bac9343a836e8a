"""Times PyTorch contestants when told to; runs in nextrec's environment, not in ours.

Requests and replies are JSON lines on standard input and output:

- `{"make": module, "sizes": {...}, "arrays": file}` -> `{}`: makes all contestants of a
  module with the inputs, targets and weights in the file;
- `{"outputs": contestant, "to": file}` -> `{}`: writes its outputs;
- `{"run": [contestant, work], "count": n}` -> seconds of n calls;
- `{"versions": 0}` -> versions by package.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from nextrec.models.multitask import poso as nextrec

import poso_keras

Arrays = dict[str, np.ndarray]


class TorchContestant:
    """A module with its inputs, as it is served and as it is trained, uncompiled.

    A train step is forward, backward (to the inputs as well) and Adam.
    """

    def __init__(self, module: Any, arrays: Arrays) -> None:
        self.module = module
        self.inputs = [
            torch.tensor(arrays[name], requires_grad=True)
            for name in ("inputs", "code")
        ]
        targets = sorted(name for name in arrays if name.startswith("target_"))
        self.targets = [torch.tensor(arrays[name]) for name in targets]
        # The fastest Adam that PyTorch has on a CPU.
        parameters = [p for p in module.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(parameters, lr=1e-3, eps=1e-7, fused=True)

    def forward(self) -> list[torch.Tensor]:
        """Returns the outputs."""
        with torch.inference_mode():
            return _as_list(self.module(*self.inputs))

    def train(self) -> None:
        """Makes a step."""
        for tensor in self.inputs:
            tensor.grad = None
        self.optimizer.zero_grad(set_to_none=True)
        outputs = _as_list(self.module(*self.inputs))
        pairs = zip(outputs, self.targets, strict=True)
        torch.stack(
            [((y - target) ** 2).mean() for y, target in pairs]
        ).sum().backward()
        self.optimizer.step()


def nextrec_mlp(sizes: dict[str, Any], weights: Arrays) -> Any:
    """Their POSO (MLP) with our weights: the same function."""
    module = nextrec.POSOMLP(
        sizes["width"], sizes["code"], sizes["units"], sizes["gate_hidden_units"]
    )
    for index, layer in enumerate(module.layers):
        path = f"dense_{index}"
        _set(layer.linear, weights[f"{path}/kernel"], weights[f"{path}/bias"])
        _set_gate(layer.gate, weights, f"{path}/gate")
    return module


def nextrec_mmoe(sizes: dict[str, Any], weights: Arrays) -> Any:
    """Their POSO (MMoE) with weights that make it the same function as ours.

    They have a gate network an expert, as wide as its output, and a bias in the task
    gates; here the gates of an expert are equal and the biases zero.
    """
    module = nextrec.POSOMMoE(
        sizes["width"],
        sizes["code"],
        sizes["experts"],
        sizes["units"],
        sizes["tasks"],
        gate_hidden_dim=sizes["gate_hidden_units"],
    )
    for expert, layers in enumerate(module.experts):
        linear = [m for m in layers.modules() if isinstance(m, torch.nn.Linear)]
        for index, layer in enumerate(linear):
            kernel = weights[f"expert_kernel_{index}"][expert]
            _set(layer, kernel, weights[f"expert_bias_{index}"][expert, 0])
    for gate, kernel in zip(module.gates, weights["task_kernel"], strict=True):
        _set(gate, kernel, np.zeros(kernel.shape[1], "float32"))
    for expert, gate in enumerate(module.expert_pc_gates):
        _set_gate(gate, weights, "gate", expert, sizes["units"][-1])
    return module


def our_module(
    kind: str, sizes: dict[str, Any], arrays: Arrays, weights: Arrays
) -> Any:
    """Our layer under Keras 3 with PyTorch as its backend."""
    gate = {"gate_hidden_units": sizes["gate_hidden_units"]}
    if kind == "POSOMLP":
        layer = poso_keras.POSOMLP(tuple(sizes["units"]), **gate)
    else:
        counts = (sizes["experts"], tuple(sizes["units"]), sizes["tasks"])
        layer = poso_keras.POSOMMoE(*counts, **gate)
    layer(arrays["inputs"], arrays["code"])
    layer.set_weights([weights[w.path.split("/", 1)[1]] for w in layer.weights])
    return layer


def serve() -> None:
    """Answers requests until the input ends."""
    contestants: dict[str, TorchContestant] = {}
    for line in sys.stdin:
        request = json.loads(line)
        reply: Any = {}
        if "make" in request:
            contestants = _make(request)
        elif "outputs" in request:
            outputs = contestants[request["outputs"]].forward()
            np.savez(request["to"], *[y.numpy() for y in outputs])
        elif "run" in request:
            name, work = request["run"]
            reply = _seconds(getattr(contestants[name], work), request["count"])
        else:
            names = ("nextrec", "torch", "keras")
            reply = {name: importlib.metadata.version(name) for name in names}
        print(json.dumps(reply), flush=True)


def _make(request: dict[str, Any]) -> dict[str, TorchContestant]:
    arrays = dict(np.load(request["arrays"]))
    kind, sizes = request["make"], request["sizes"]
    weights = {
        name.removeprefix("weight:"): array
        for name, array in arrays.items()
        if name.startswith("weight:")
    }
    theirs = {"POSOMLP": nextrec_mlp, "POSOMMoE": nextrec_mmoe}[kind](sizes, weights)
    ours = our_module(kind, sizes, arrays, weights)
    return {
        "nextrec": TorchContestant(theirs, arrays),
        "ours, Keras 3 on PyTorch": TorchContestant(ours, arrays),
    }


def _seconds(work: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        work()
    return time.perf_counter() - start


def _set(layer: torch.nn.Linear, kernel: np.ndarray, bias: np.ndarray) -> None:
    """Sets a layer's weights from a kernel [in, out]."""
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(kernel.T))
        layer.bias.copy_(torch.tensor(bias))


def _set_gate(
    gate: Any, weights: Arrays, path: str, column: int | None = None, copies: int = 1
) -> None:
    """Sets a gate from ours, or all its outputs from one column of ours."""
    _set(gate.fc1, weights[f"{path}/hidden/kernel"], weights[f"{path}/hidden/bias"])
    kernel, bias = weights[f"{path}/gates/kernel"], weights[f"{path}/gates/bias"]
    if column is not None:
        kernel = np.repeat(kernel[:, [column]], copies, axis=1)
        bias = np.repeat(bias[[column]], copies)
    _set(gate.fc2, kernel, bias)


def _as_list(outputs: Any) -> list[torch.Tensor]:
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    torch.set_num_interop_threads(int(sys.argv[1]))
    if keras.backend.backend() != "torch":
        raise SystemExit("run this with KERAS_BACKEND=torch")
    serve()
