"""The committed `_pb2.py` files are what their `.proto` files say."""

import importlib
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path.relative_to(ROOT) for path in ROOT.glob("serving/**/*.proto"))
COMPILER = re.search(
    r"grpcio-tools==([\d.]+)", (ROOT / "scripts/make-proto").read_text()
)


def ids(path):
    return path.name


def compiled(file):
    return file.with_name(f"{file.stem}_pb2.py")


def test_the_three_files_are_found():
    assert len(FILES) == 3


@pytest.mark.parametrize("file", FILES, ids=ids)
def test_declarations_are_those_of_the_compiled_file(file):
    text = (ROOT / file).read_text()
    module = importlib.import_module(".".join(compiled(file).with_suffix("").parts))
    assert module.DESCRIPTOR.package == re.search(r"^package (.*);$", text, re.M)[1]
    fields = re.findall(r"^ *(\S.* \w+ = \d+);", text, re.MULTILINE)
    declared = re.findall(r"^ *(\w+ = \d+);", text, re.MULTILINE)
    messages = module.DESCRIPTOR.message_types_by_name.values()
    enums = module.DESCRIPTOR.enum_types_by_name.values()
    assert sorted(fields) == sorted(f for m in messages for f in fields_of(m))
    values = [value for message in messages for value in values_of(message)]
    values += [f"{v.name} = {v.number}" for enum in enums for v in enum.values]
    assert sorted(declared) == sorted(values)


def fields_of(message):
    """The declarations of a message's fields, and of the messages within it."""
    for field in message.fields:
        nested = field.message_type
        kind = type_of(field)
        if nested and nested.GetOptions().map_entry:
            kind = f"map<string, {type_of(nested.fields_by_name['value'])}>"
        elif field.label == field.LABEL_REPEATED:
            kind = f"repeated {kind}"
        yield f"{kind} {field.name} = {field.number}"
    for nested in message.nested_types:
        if not nested.GetOptions().map_entry:
            yield from fields_of(nested)


def values_of(message):
    for enum in message.enum_types:
        for value in enum.values:
            yield f"{value.name} = {value.number}"


def type_of(field):
    type_ = field.message_type or field.enum_type
    if type_ is None:
        names = {getattr(field, n): n for n in dir(field) if n.startswith("TYPE_")}
        return names[field.type].removeprefix("TYPE_").lower()
    if type_.file.package == field.file.package:
        return type_.name
    return type_.full_name


def test_compiling_again_gives_the_same_files(tmp_path):
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed")
    version = importlib.metadata.version("grpcio-tools")
    if version != COMPILER[1]:
        pytest.skip(f"grpcio-tools is {version}; make proto takes {COMPILER[1]}")
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", ".", "--python_out"]
    subprocess.run([*command, tmp_path, *FILES], check=True, cwd=ROOT)
    for file in FILES:
        fresh = (tmp_path / compiled(file)).read_text()
        assert fresh == (ROOT / compiled(file)).read_text()
