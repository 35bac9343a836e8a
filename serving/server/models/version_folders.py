"""Version folders on the file system: which there are, and whether they change."""

from __future__ import annotations

import logging
import os

from serving.server.models.saved_model import SAVED_MODEL_FILE

_LOG = logging.getLogger(__name__)
_MAX_VERSION = 2**63 - 1

# Real path, size and time of the last change of each file.
Fingerprint = frozenset[tuple[str, int, int]]


def version_folders(base_path: str) -> dict[int, str]:
    """The numbered folders of a model's folder, by number.

    Leading zeros are allowed, as TensorFlow Serving allows them; of two folders with
    the same number the last in the order of names counts.

    Raises:
        OSError: If `base_path` cannot be listed.
    """
    folders: dict[int, str] = {}
    for entry in sorted(os.listdir(base_path)):
        path = os.path.join(base_path, entry)
        if not (entry.isascii() and entry.isdecimal() and os.path.isdir(path)):
            continue
        number = int(entry)
        if number > _MAX_VERSION:
            continue
        if number in folders:
            _LOG.warning(
                "%s and %s are both version %d; the first is ignored",
                folders[number],
                path,
                number,
            )
        folders[number] = path
    return folders


def why_no_version(base_path: str) -> str:
    """What keeps a model's folder from having versions, for people."""
    if not os.path.isdir(base_path):
        return f"the model folder {base_path} does not exist"
    entries = sorted(os.listdir(base_path))
    if SAVED_MODEL_FILE in entries:
        return (
            f"{base_path} is itself a SavedModel; expected a folder of numbered "
            f"folders, such as DIR/1/{SAVED_MODEL_FILE}"
        )
    return (
        f"{base_path} has no version to serve; expected numbered folders, such as "
        f"DIR/1/{SAVED_MODEL_FILE}, received {entries[:5] or 'an empty folder'}"
    )


def fingerprint(folder: str) -> Fingerprint:
    """What a folder holds; differs once a file comes, goes, grows or is rewritten.

    Links are followed, and their targets are part of it: deployments swap a link to
    the folder, or links within it, instead of files. A link to nothing has size -1.

    Raises:
        OSError: If a file cannot be looked at.
    """
    files = []
    walked: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        place = os.path.realpath(parent)
        if place in walked:  # a link to a folder above it
            folders.clear()
            continue
        walked.add(place)
        for name in names:
            path = os.path.realpath(os.path.join(parent, name))
            try:
                status = os.stat(path)
                files.append((path, status.st_size, status.st_mtime_ns))
            except FileNotFoundError:
                files.append((path, -1, 0))
    return frozenset(files)
