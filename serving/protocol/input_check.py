"""Whether a request's inputs are what the signature asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from serving.protocol.errors import InvalidArgument, Unimplemented
from serving.protocol.tensor_spec import TYPE_BY_NUMPY, Array, TensorSpec


def check_inputs(inputs: Mapping[str, Array], specs: Mapping[str, TensorSpec]) -> None:
    """Checks names, dtypes and shapes.

    Args:
        inputs: The request's arrays; bytes objects for strings.
        specs: The signature's inputs.

    Raises:
        InvalidArgument: Naming the input, what was expected and what was received.
        Unimplemented: If the signature asks for a type that requests cannot carry.
    """
    check_names(inputs, specs)
    for name, spec in specs.items():
        _check_input(inputs[name], spec)


def check_names(received: Collection[str], specs: Mapping[str, TensorSpec]) -> None:
    """Checks that a request has the signature's inputs and no other.

    Raises:
        InvalidArgument: With the missing and the unexpected names.
    """
    missing = sorted(specs.keys() - set(received))
    extra = sorted(set(received) - specs.keys())
    if missing or extra:
        # The culprits first: over gRPC a long message is cut.
        raise InvalidArgument(
            f"input size does not match signature: {len(received)}!={len(specs)}. "
            f"Sent extra: {{{', '.join(extra)}}}. "
            f"Missing but required: {{{', '.join(missing)}}}. "
            f"Expected: {{{', '.join(specs)}}}."
        )


def check_output_filter(
    output_filter: Sequence[str], specs: Mapping[str, TensorSpec]
) -> None:
    """Checks that each wanted output exists and is named once.

    Raises:
        InvalidArgument: With the output's name.
    """
    for name in output_filter:
        if name not in specs:
            raise InvalidArgument(
                f"output tensor alias not found in signature: {name}. Outputs expected "
                f"to be in the set {{{', '.join(specs)}}}."
            )
        if output_filter.count(name) > 1:
            raise InvalidArgument(f"duplicate output tensor alias: {name}")


def _check_input(array: Array, spec: TensorSpec) -> None:
    if spec.dtype is None:
        raise Unimplemented(
            f"input {spec.name!r} has a type that requests cannot carry"
        )
    dtype = TYPE_BY_NUMPY.get(array.dtype)
    if dtype != spec.dtype or not spec.accepts(array.shape):
        name = dtype.name if dtype else str(array.dtype)
        raise InvalidArgument(
            f"input {spec.name!r}: expected {spec.describe()}, received {name} "
            f"{list(array.shape)}"
        )
