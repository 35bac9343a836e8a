"""Whether a version's folder holds what whoever exported it has listed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping

from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from serving.protocol.version_files import FILE_LIST, LISTED_MARK, checksum
from serving.server.models.saved_model import SAVED_MODEL_FILE, ModelLoadError

_INCOMPLETE = "FAILED_PRECONDITION"
_NAMED = 5

# Path relative to the version's folder, to size in bytes and CRC-32.
_Listed = Mapping[str, tuple[int, str]]
# What is wrong with the file of a path, of which size and CRC-32 are listed.
_Compare = Callable[[str, int, str], str]


def check_version_files(folder: str) -> None:
    """Checks that a version is whole: a table of half its words gives wrong scores.

    A SavedModel of another exporter has no list; what is missing from it shows, as far
    as it does, when it is loaded.

    Args:
        folder: The version's folder.

    Raises:
        ModelLoadError: A listed file is missing or has another content, or the list is
            missing itself. The version may still be copied.
    """
    path = os.path.join(folder, FILE_LIST)
    if not os.path.exists(path):
        if _is_marked(os.path.join(folder, SAVED_MODEL_FILE)):
            raise ModelLoadError(
                f"{folder} is not whole: the list of its files, {FILE_LIST}, is "
                "missing. It is loaded once it is there",
                _INCOMPLETE,
            )
        return
    listed = _read_list(path)
    # Sizes first: they tell at once of most copies that are still under way.
    problems = _problems(folder, listed, _size_problem)
    problems = problems or _problems(folder, listed, _content_problem)
    if problems:
        more = len(problems) - _NAMED
        names = "; ".join(problems[:_NAMED]) + (f"; and {more} more" * (more > 0))
        raise ModelLoadError(
            f"{folder} is not as its {FILE_LIST} says: {names}. It is loaded once it "
            "is whole",
            _INCOMPLETE,
        )


def _is_marked(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            model = saved_model_pb2.SavedModel.FromString(file.read())
    except (OSError, DecodeError):
        return False  # whoever loads it says so
    return any(LISTED_MARK in graph.collection_def for graph in model.meta_graphs)


def _read_list(path: str) -> _Listed:
    try:
        with open(path, encoding="utf-8") as file:
            files = json.load(file)["files"]
        return {
            name: (int(each["bytes"]), str(each["crc32"]))
            for name, each in files.items()
        }
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelLoadError(
            f"{path} is no whole list of files ({type(error).__name__}: {error}). The "
            "version is loaded once it is",
            _INCOMPLETE,
        ) from error


def _problems(folder: str, listed: _Listed, compare: _Compare) -> list[str]:
    found = []
    for name, expected in sorted(listed.items()):
        try:
            problem = compare(os.path.join(folder, name), *expected)
        except FileNotFoundError:
            problem = "is missing"
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
        if problem:
            found.append(f"{name} {problem}")
    return found


def _size_problem(path: str, size: int, crc32: str) -> str:
    found = os.stat(path).st_size
    return "" if found == size else f"has {found:,} bytes instead of {size:,}"


def _content_problem(path: str, size: int, crc32: str) -> str:
    with open(path, "rb") as file:
        same = checksum(file) == (size, crc32)
    return "" if same else "has another content than when it was exported"
