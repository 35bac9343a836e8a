"""Avro's types as Arrow's, and as they are decoded: without a Python object per time.

A decoder makes `datetime`s of Avro's times, one by one, and fails on the first that
Python's calendar does not hold. So a schema is taken apart here: what is decoded are
whole numbers, and texts as bytes (which may be no UTF-8, as in CSV files); what they
mean is said to Arrow afterwards, for all rows at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa

_PLAIN: dict[str, pa.DataType] = {
    "null": pa.null(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "string": pa.binary(),
}
_LOGICAL: dict[tuple[str, str], pa.DataType] = {
    ("int", "date"): pa.date32(),
    ("int", "time-millis"): pa.time32("ms"),
    ("long", "time-micros"): pa.time64("us"),
    **{
        ("long", f"{local}timestamp-{name}"): pa.timestamp(unit, zone)
        for local, zone in (("", "UTC"), ("local-", None))
        for name, unit in (("millis", "ms"), ("micros", "us"), ("nanos", "ns"))
    },
}
_WIDER = ("int", "long", "float", "double")
_MOST_DIGITS = 38


class AvroType(NamedTuple):
    """One of Avro's types.

    Attributes:
        decoded: The same in Avro without what the decoder would make objects of.
        held: The type of what is decoded.
        meant: The type that it means; None for one that no column of ours has. Texts
            are held as bytes all the same.
    """

    decoded: Any
    held: pa.DataType
    meant: pa.DataType | None

    def to_arrow(self, values: list[Any]) -> pa.Array:
        """Decoded values as a column.

        Raises:
            pyarrow.ArrowException: They are not of the type.
        """
        column = pa.array(values, self.held)
        return column.cast(self.meant) if pa.types.is_integer(self.held) else column


def avro_types(schema: dict[str, Any]) -> dict[str, AvroType]:
    """The types of a record's fields by name.

    Args:
        schema: As `fastavro.parse_schema` returns it: names are whole.
    """
    named: dict[str, AvroType] = {}
    return {field["name"]: _type_of(field["type"], named) for field in schema["fields"]}


def record_of(name: str, types: Mapping[str, AvroType]) -> dict[str, Any]:
    """The schema of records of some columns, each named type defined where it is first.

    Args:
        name: What the records are called.
        types: Those of the columns, by name.
    """
    defined: set[str] = set()
    fields = [
        {"name": column, "type": _defined_once(made.decoded, defined)}
        for column, made in types.items()
    ]
    return {"type": "record", "name": name, "fields": fields}


def _defined_once(schema: Any, defined: set[str]) -> Any:
    if isinstance(schema, list):
        return [_defined_once(each, defined) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if name := schema.get("name"):
        if name in defined:
            return name
        defined.add(name)
    made = dict(schema)
    for inner in ("items", "values"):
        if inner in made:
            made[inner] = _defined_once(made[inner], defined)
    if "fields" in made:
        made["fields"] = [
            {**field, "type": _defined_once(field["type"], defined)}
            for field in made["fields"]
        ]
    return made


def _type_of(schema: Any, named: dict[str, AvroType]) -> AvroType:
    if isinstance(schema, list):
        return _of_union(schema, named)
    if isinstance(schema, str):
        if schema not in _PLAIN:
            return named[schema]
        schema = {"type": schema}
    kind = schema["type"]
    if kind in _PLAIN:
        return _of_plain(kind, schema)
    if kind == "array":
        items = _type_of(schema["items"], named)
        decoded: Any = {"type": "array", "items": items.decoded}
        told = _of_entries(items)
        meant = None if told is None else pa.list_(told)
        return AvroType(decoded, pa.list_(items.held), meant)
    if kind == "map":
        values = _type_of(schema["values"], named)
        return AvroType({"type": "map", "values": values.decoded}, pa.null(), None)
    made = _of_named(kind, schema, named)
    named[schema["name"]] = made
    return made


def _of_plain(kind: str, schema: dict[str, Any]) -> AvroType:
    logical = schema.get("logicalType", "")
    if kind == "bytes" and logical == "decimal":
        decimals = _decimals(schema)
        return AvroType(dict(schema), decimals, decimals)
    if kind == "string":
        return AvroType("bytes", pa.binary(), pa.string())
    meant = _LOGICAL.get((kind, logical), _PLAIN[kind])
    return AvroType(kind, _PLAIN[kind], meant)


def _of_named(
    kind: str, schema: dict[str, Any], named: dict[str, AvroType]
) -> AvroType:
    name = schema["name"]
    if kind == "enum":
        decoded = {"type": "enum", "name": name, "symbols": schema["symbols"]}
        return AvroType(decoded, pa.string(), pa.string())
    if kind == "fixed":
        decoded = {"type": "fixed", "name": name, "size": schema["size"]}
        if schema.get("logicalType") != "decimal":
            return AvroType(decoded, pa.binary(), pa.binary())
        decimals = _decimals(schema)
        told = {key: schema[key] for key in ("logicalType", "precision", "scale")}
        return AvroType({**decoded, **told}, decimals, decimals)
    named[name] = AvroType(name, pa.null(), None)  # of a record that holds itself
    parts = {part["name"]: _type_of(part["type"], named) for part in schema["fields"]}
    fields = [{"name": part, "type": made.decoded} for part, made in parts.items()]
    known = all(made.meant is not None for made in parts.values())
    held = pa.struct([(part, made.held) for part, made in parts.items()])
    record = {"type": "record", "name": name, "fields": fields}
    return AvroType(record, held, held if known else None)


def _of_union(schemas: list[Any], named: dict[str, AvroType]) -> AvroType:
    made = [_type_of(schema, named) for schema in schemas]
    decoded = [each.decoded for each in made]
    some = [each for each in made if each.decoded != "null"]
    if len(some) == 1:
        return some[0]._replace(decoded=decoded)
    if not some:
        return AvroType(decoded, pa.null(), pa.null())
    plain = [each.decoded for each in some if each.held == each.meant]
    if len(plain) == len(some) and all(kind in _WIDER for kind in plain):
        widest = max(plain, key=_WIDER.index)
        kind = pa.float64() if "float" in plain else _PLAIN[widest]
        return AvroType(decoded, kind, kind)
    return AvroType(decoded, pa.null(), None)


def _decimals(schema: dict[str, Any]) -> pa.DataType:
    precision, scale = schema["precision"], schema.get("scale", 0)
    make = pa.decimal128 if precision <= _MOST_DIGITS else pa.decimal256
    return make(precision, scale)


def _of_entries(items: AvroType) -> pa.DataType | None:
    """What the entries of a list are: of times the numbers that are decoded."""
    return items.held if pa.types.is_integer(items.held) else items.meant
