"""The virtual environment of nextrec, the other public package with POSO modules."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from pathlib import Path

FOLDER = Path("runs/benchmarks/nextrec-venv")
# Keras is there for our layers on PyTorch, at the version of our own environment.
PINS = ("nextrec==0.6.14", "torch==2.13.0")


def nextrec_python() -> Path:
    """Returns the environment's Python; makes the environment at the first call.

    Raises:
        subprocess.CalledProcessError: if a package could not be installed.
        FileNotFoundError: if there is no Python to make it with.
    """
    pins = (*PINS, f"keras=={importlib.metadata.version('keras')}")
    python, stamp = FOLDER / "bin" / "python", FOLDER / ".installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == " ".join(pins):
        return python.absolute()
    maker = shutil.which("python3.11") or shutil.which("python3")
    if maker is None:
        raise FileNotFoundError("nextrec's environment needs python3.11 or python3")
    subprocess.run([maker, "-m", "venv", "--clear", str(FOLDER)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", *pins]
    subprocess.run(install, check=True)
    stamp.write_text(" ".join(pins), encoding="utf-8")
    return python.absolute()
