"""The project's GAUC without Keras.

`import poso_keras` imports Keras, for its layers, which takes seconds before anything
is counted. The function itself is a file of NumPy code: that file alone is loaded.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

_MODULE = "poso_keras.gauc"
_ALONE = "_gauc_without_keras"


@cache
def gauc_function() -> Callable[..., Any]:
    """`poso_keras.gauc`, from the package if that is loaded already.

    Raises:
        ImportError: `poso_keras` is not installed.
    """
    if _MODULE in sys.modules:
        return sys.modules[_MODULE].gauc
    package = importlib.util.find_spec("poso_keras")  # does not run it
    if package is None or package.origin is None:
        raise ImportError("poso_keras is not installed, whose gauc judges columns")
    path = Path(package.origin).with_name("gauc.py")
    spec = importlib.util.spec_from_file_location(_ALONE, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_ALONE] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module.gauc
