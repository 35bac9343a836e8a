"""Imports run in the directions that docs/rooms.yaml allows, and never in a circle."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PLAN = yaml.safe_load((ROOT / "docs" / "rooms.yaml").read_text(encoding="utf-8"))
PACKAGES = PLAN["packages"]


def modules() -> dict[str, Path]:
    """Every module of the packages by its dotted name; a package is its `__init__`."""
    found = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def for_types_alone(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def import_nodes(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif not for_types_alone(child):
            yield from import_nodes(child)


def imported(source: str) -> set[str]:
    """Dotted names that a module imports, at its top or inside of a function."""
    names = set()
    for node in import_nodes(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
            continue
        assert not node.level, "relative imports hide their direction"
        for alias in node.names:
            full = f"{node.module}.{alias.name}"
            names.add(full if full in MODULES else node.module or "")
    return names


IMPORTS = {
    name: imported(path.read_text(encoding="utf-8")) for name, path in MODULES.items()
}
OURS = {
    name: {target for target in targets if target in MODULES}
    for name, targets in IMPORTS.items()
}


def room_of(module: str) -> str:
    """The innermost room of the plan that a module lies in; else its package."""
    parts = module.split(".")
    for length in range(len(parts), 1, -1):
        if ".".join(parts[:length]) in PLAN["rooms"]:
            return ".".join(parts[:length])
    return parts[0]


def full_name(room: str, package: str) -> str:
    return room if room.split(".")[0] in PACKAGES else f"{package}.{room}"


def allowed(room: str) -> list[str]:
    package = room.split(".")[0]
    return [full_name(name, package) for name in PLAN["rooms"][room]]


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


@pytest.mark.parametrize("module", sorted(OURS))
def test_packages_import_as_the_plan_says(module):
    package = module.split(".")[0]
    for target in OURS[module]:
        assert target.split(".")[0] in (package, *PACKAGES[package]), target


@pytest.mark.parametrize(
    "module", sorted(name for name in OURS if room_of(name) in PLAN["rooms"])
)
def test_rooms_import_as_the_plan_says(module):
    room = room_of(module)
    for target in OURS[module]:
        if room_of(target) == room:
            continue
        assert any(within(target, other) for other in allowed(room)), (
            f"{module} imports {target}, which docs/rooms.yaml does not allow to {room}"
        )


@pytest.mark.parametrize("room", PLAN["rooms"])
def test_the_plan_allows_no_more_than_the_code_needs(room):
    targets = {t for name in OURS if room_of(name) == room for t in OURS[name]}
    unused = {
        other
        for other in allowed(room)
        if not any(within(target, other) for target in targets)
    }
    assert not unused


def test_every_room_stands_above_what_it_may_import():
    rooms = list(PLAN["rooms"])
    for place, room in enumerate(rooms):
        for other in allowed(room):
            if other in rooms and other.split(".")[0] == room.split(".")[0]:
                assert rooms.index(other) < place, f"{room} and {other}"


def test_the_plan_names_every_room_and_no_other():
    folders = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in ("preprocessing", "serving", "pipeline")
        for path in (ROOT / package).rglob("*.py")
    }
    unplanned = {
        name
        for name in folders
        if name not in PACKAGES and room_of(name) == name.split(".")[0]
    }
    assert not unplanned
    assert not {room for room in PLAN["rooms"] if room not in MODULES}


def test_no_module_imports_itself_through_others():
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module))
        if module in done:
            return
        for target in OURS[module]:
            visit(target, (*way, module))
        done.add(module)

    for module in OURS:
        visit(module, ())


def loaded_by(module: str) -> set[str]:
    """Top-level packages that an import of the module brings, in a fresh process."""
    code = f"import sys; import {module}; print(*sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.split(".")[0] for name in printed.stdout.splitlines()[-1].split()}


@pytest.mark.parametrize("rule", PLAN["never"], ids=lambda rule: rule["why"])
def test_nothing_imports_what_it_must_never(rule):
    for module, targets in IMPORTS.items():
        if any(within(module, who) for who in rule["who"]):
            forbidden = {t for t in targets if t.split(".")[0] in rule["what"]}
            assert not forbidden, f"{module} imports {forbidden}: {rule['why']}"


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("serving.client.ranking_client", {"tensorflow", "tensorflow_serving", "tfx"}),
        ("serving.protocol.messages", {"tensorflow", "tensorflow_serving", "tfx"}),
        ("cli.main", {"tensorflow", "tfx", "apache_beam", "pyarrow", "numpy"}),
        ("pipeline.log_check.html_page", {"tensorflow", "tfx", "apache_beam"}),
        ("cli.status_command", {"tensorflow", "tfx", "apache_beam"}),
        ("pipeline.runners.run_history", {"tensorflow", "tfx", "numpy"}),
        ("cli.pipeline_run", {"tensorflow", "tfx", "apache_beam"}),
        ("preprocessing", {"tensorflow", "tfx", "apache_beam", "pyarrow"}),
        ("serving.server.embedded_server", {"tfx", "apache_beam"}),
        ("preprocessing.engine.write_table", {"tfx", "tensorflow"}),
    ],
)
def test_what_an_import_loads(module, never):
    assert not loaded_by(module) & never
