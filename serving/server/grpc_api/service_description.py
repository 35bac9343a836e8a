"""Makes TensorFlow Serving's gRPC services known to reflection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool

_PACKAGE = "tensorflow.serving"


def describe_service(name: str, methods: Mapping[str, tuple[Any, Any]]) -> str:
    """Adds a service to the pool of descriptors.

    The official modules (`prediction_service_pb2`, `model_service_pb2`) do this when
    they are imported, but protobuf 5 and later cannot import them. What is added here
    equals theirs byte for byte, so both may meet in one process.

    Args:
        name: The service's name, such as `ModelService`.
        methods: The official classes of request and answer by method, in the order of
            the official service; all methods are unary.

    Returns:
        The service's full name.
    """
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    file = descriptor_pb2.FileDescriptorProto(
        name=f"tensorflow_serving/apis/{snake}.proto",
        package=_PACKAGE,
        dependency=sorted({r.DESCRIPTOR.file.name for r, _ in methods.values()}),
        syntax="proto3",
    )
    file.options.cc_enable_arenas = True
    service = file.service.add(name=name)
    for method, (request, answer) in methods.items():
        service.method.add(
            name=method,
            input_type=f".{request.DESCRIPTOR.full_name}",
            output_type=f".{answer.DESCRIPTOR.full_name}",
        )
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
    return f"{_PACKAGE}.{name}"
