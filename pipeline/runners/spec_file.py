"""The file that a compiled pipeline goes to; it replaces no other file."""

from __future__ import annotations

from pathlib import Path

_COMPONENT = b"ImpressionExampleGen"  # every pipeline of ours has it


def check_spec_file(output: Path) -> None:
    """Checks that a specification may be written to a file.

    Args:
        output: The file, which may be there or not.

    Raises:
        ValueError: It is neither `.yaml` nor `.json`, or holds something else than an
            earlier specification.
        OSError: It cannot be read.
    """
    if output.suffix not in (".yaml", ".json"):
        raise ValueError(f"the specification is .yaml or .json. Received: {output}")
    if output.exists() and _COMPONENT not in output.read_bytes():
        raise ValueError(
            f"{output} is there and is no compiled pipeline: give another --output, or "
            "move it away"
        )
