"""Modules of this project as processes of their own, in any working folder."""

from __future__ import annotations

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]

# The first entry of such a program's path is the working folder, where modules of
# somebody else's may have the names of ours.
_RUN = (
    "import runpy, sys; "
    "sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)]; "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def module_command(name: str) -> list[str]:
    """The command line of a module as a program, the project installed or not.

    Args:
        name: The module, such as `cli`; of a package its `__main__` is run.
    """
    return [sys.executable, "-c", _RUN, str(_ROOT), name]
