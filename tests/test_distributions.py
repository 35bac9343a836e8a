"""What each of the two wheels installs: no package that the other one owns."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = (
    *("setup.py", "pyproject.toml", "VERSION", "README.md", "application"),
    *("poso_keras", "preprocessing", "pipeline", "serving", "simulator", "cli"),
    *("tests", "benchmarks"),
)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> dict[str, list[str]]:
    """File names in each wheel, built from a copy: `build/` may hold old modules."""
    folder = tmp_path_factory.mktemp("wheels")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    build += ["--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([*build, ".", "./application"], cwd=source, check=True)
    return {
        wheel.name.split("-")[0]: zipfile.ZipFile(wheel).namelist()
        for wheel in folder.glob("*.whl")
    }


def packages(names: list[str]) -> set[str]:
    tops = {name.split("/")[0] for name in names}
    return {top for top in tops if not top.endswith(".dist-info")}


@pytest.mark.e2e
def test_the_layers_bring_their_package_alone(wheels):
    assert packages(wheels["poso_keras"]) == {"poso_keras"}
    assert "poso_keras/py.typed" in wheels["poso_keras"]


@pytest.mark.e2e
def test_the_application_brings_the_others(wheels):
    assert packages(wheels["poso"]) == {
        *("cli", "pipeline", "preprocessing", "serving", "simulator")
    }


@pytest.mark.e2e
def test_every_module_and_every_file_beside_them_is_in_a_wheel(wheels):
    built = set(wheels["poso"]) | set(wheels["poso_keras"])
    needed = {"pipeline/report/templates/report.html", "serving/py.typed"}
    for package in packages(wheels["poso"]) | {"poso_keras"}:
        sources = (ROOT / package).rglob("*.py")
        needed |= {str(path.relative_to(ROOT)) for path in sources}
    assert not needed - built
