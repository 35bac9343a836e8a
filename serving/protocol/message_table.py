"""Protocol buffer classes from tables of their fields.

For messages whose official Python classes would import TensorFlow, or do not exist. The
classes live in a descriptor pool of their own and so do not clash with official ones in
one process.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Fields = Mapping[str, tuple[int, str]]

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "double": _FIELD.TYPE_DOUBLE,
    "float": _FIELD.TYPE_FLOAT,
    "int64": _FIELD.TYPE_INT64,
    "uint64": _FIELD.TYPE_UINT64,
    "int32": _FIELD.TYPE_INT32,
    "uint32": _FIELD.TYPE_UINT32,
    "bool": _FIELD.TYPE_BOOL,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
}


def message_classes(
    package: str,
    messages: Mapping[str, Fields],
    enums: Mapping[str, Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """Message classes by name.

    Args:
        package: A package name that no other table has.
        messages: Fields of each message: name to number and type. A type is a scalar's
            name or that of a message or enum of the table; `*` before it repeats the
            field, `map:` makes it a map from strings.
        enums: Numbers of each enum's values, the first of them 0.
    """
    pool = descriptor_pool.DescriptorPool()
    file = _file(package, messages, enums or {})
    pool.AddSerializedFile(file.SerializeToString())
    # The pinned protobuf is 3.20; its successor's name for this is GetMessageClass.
    factory: Any = message_factory.MessageFactory(pool)
    return {
        name: factory.GetPrototype(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in messages
    }


def _file(
    package: str,
    messages: Mapping[str, Fields],
    enums: Mapping[str, Mapping[str, int]],
) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for name, values in enums.items():
        enumeration = file.enum_type.add(name=name)
        for value, number in values.items():
            enumeration.value.add(name=value, number=number)
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add_field(message, field, number, kind, package, enums)
    return file


def _add_field(
    message: descriptor_pb2.DescriptorProto,
    name: str,
    number: int,
    kind: str,
    package: str,
    enums: Mapping[str, Mapping[str, int]],
) -> None:
    if kind.startswith("map:"):
        entry_name = "".join(part.title() for part in name.split("_")) + "Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string", package, enums)
        _add_field(entry, "value", 2, kind.removeprefix("map:"), package, enums)
        kind = f"*{message.name}.{entry_name}"
    field = message.field.add(name=name, number=number)
    field.label = _FIELD.LABEL_REPEATED if kind[0] == "*" else _FIELD.LABEL_OPTIONAL
    kind = kind.lstrip("*")
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
        return
    field.type = _FIELD.TYPE_ENUM if kind in enums else _FIELD.TYPE_MESSAGE
    field.type_name = f".{package}.{kind}"
