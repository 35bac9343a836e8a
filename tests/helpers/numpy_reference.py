"""The modules as the paper writes them: slow loops over samples, heads, modules."""

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def gate(weights: dict, code: np.ndarray, scale: float, prefix: str = "") -> np.ndarray:
    """C sigmoid(W2 relu(W1 pc + b1) + b2), [batch, units]."""
    w = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    hidden = relu(code @ w["hidden/kernel"] + w["hidden/bias"])
    return scale * sigmoid(hidden @ w["gates/kernel"] + w["gates/bias"])


def attention(
    weights: dict,
    query: np.ndarray,
    value: np.ndarray,
    code: np.ndarray,
    mask: np.ndarray,
    num_heads: int,
    num_modules: int,
    modes: tuple,
    scale: float,
) -> np.ndarray:
    """Eq. 13 in the textbook order: project K and V along L, then attend."""
    width = weights["query_kernel"].shape[-1]
    key_dim = width // num_heads
    gates = {
        name: gate(weights, code, 2.0, f"{name}_gate/") if mode == "gated" else None
        for name, mode in zip(("query", "key", "value"), modes, strict=True)
    }
    summed = num_modules if "full" in modes else 1
    module_gates = np.ones((len(query), 1))
    if "full" in modes:
        module_gates = gate(weights, code, scale, "module_gate/")

    def project(name: str, i: int, b: int, x: np.ndarray) -> np.ndarray:
        kernels = weights[f"{name}_kernel"]
        y = x @ kernels[i if len(kernels) > 1 else 0]
        return y if gates[name] is None else y * gates[name][b]

    output = np.zeros((len(query), width))
    for b in range(len(query)):
        valid = mask[b].astype(bool)
        if not valid.any():
            continue
        for i in range(summed):
            q = project("query", i, b, query[b])
            k = project("key", i, b, value[b])
            v = project("value", i, b, value[b])
            for h in range(num_heads):
                head = slice(h * key_dim, (h + 1) * key_dim)
                scores = k[valid, head] @ q[head] / np.sqrt(key_dim)
                pooled = softmax(scores) @ v[valid, head]
                output[b, head] += module_gates[b, i] * pooled
    return output


def mixture(
    weights: dict,
    inputs: np.ndarray,
    expert_gates: np.ndarray,
    num_layers: int,
    num_tasks: int,
    layer_gates: list[np.ndarray] | None = None,
) -> list[np.ndarray]:
    """Eq. 17: one expert, one sample and one task at a time.

    `layer_gates`, [batch, experts, units] a layer, make the experts POSO (MLP).
    """
    num_experts = expert_gates.shape[1]
    outputs: list[list[np.ndarray]] = [[] for _ in range(num_tasks)]
    for b, x in enumerate(inputs):
        experts = []
        for i in range(num_experts):
            e = x
            for n in range(num_layers):
                kernel = weights[f"expert_kernel_{n}"][i]
                e = relu(e @ kernel + weights[f"expert_bias_{n}"][i, 0])
                if layer_gates:
                    e = e * layer_gates[n][b, i]
            experts.append(e)
        for t in range(num_tasks):
            task_weights = softmax(x @ weights["task_kernel"][t])
            outputs[t].append(
                sum(
                    expert_gates[b, i] * task_weights[i] * experts[i]
                    for i in range(num_experts)
                )
            )
    return [np.stack(rows) for rows in outputs]
