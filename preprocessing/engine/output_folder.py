"""An output folder that does not look whole before it is.

OUT/features/*.parquet   the feature table
OUT/rejects/*.parquet    rows that broke the contract
OUT/state/               the state after the log (state.files)
OUT/summary.json         counts and names of these files; written last: it marks a whole
OUT/_incomplete/         what a run is writing, or what a failed one has left
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from preprocessing.checks.counts import LogSummary
from preprocessing.contract.config import FeatureConfig
from preprocessing.engine.earlier_output import (
    FILES_KEY,
    PARTS,
    STAGING,
    SUMMARY_FILE,
    check_replaceable,
)
from preprocessing.engine.feature_settings import SETTINGS_KEY, noted_settings
from preprocessing.engine.outputs import STATE
from preprocessing.state.files import INFO_FILE, find_state
from preprocessing.storage.files import (
    DataFile,
    is_file,
    is_remote,
    join,
    list_files,
    local_path,
    move_tree,
    remove_tree,
    write_text,
)
from preprocessing.storage.folder_lock import hold_folder, share_folder
from preprocessing.storage.overlap import Place, check_apart, log_place


class OutputFolder:
    """Where a run writes, and how what it wrote becomes the output.

    Until `finish` an earlier output stays as it is. Nothing is replaced or removed but
    what an earlier run made.

    Args:
        out_dir: A path or a URI.

    Raises:
        OutputFolderError: The folder holds what no earlier run made, where ours goes.
    """

    def __init__(self, out_dir: str):
        check_replaceable(out_dir)
        self.out_dir = out_dir
        self.staging = join(out_dir, STAGING)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder, if it is on this machine, until the block ends.

        Raises:
            FolderInUseError: Another process writes to it or reads from it.
            OSError: It cannot be written to.
        """
        with ExitStack() as held:
            if not is_remote(self.out_dir):
                held.enter_context(hold_folder(local_path(self.out_dir)))
            yield

    def begin(self) -> None:
        """Removes what an earlier run, killed or failed, has left."""
        remove_tree(self.staging)

    def finish(self, summary: LogSummary, features: FeatureConfig) -> None:
        """Replaces an earlier output by the new one.

        A process that is killed meanwhile leaves a folder without `summary.json`; a
        state that it leaves is whole.

        Args:
            summary: Rows in and out, which `summary.json` says.
            features: The settings, which it notes.

        Raises:
            OutputFolderError: Somebody put a file where ours goes, since the run began.
        """
        check_replaceable(self.out_dir)
        marker = join(self.out_dir, SUMMARY_FILE)
        files = [
            join(part, name)
            for part in PARTS
            for name in sorted(list_files(join(self.staging, part)) or ())
        ]
        for file in (marker, join(self.out_dir, STATE, INFO_FILE)):
            if is_file(file):
                remove_tree(file)
        for part in PARTS:
            remove_tree(join(self.out_dir, part))
            move_tree(join(self.staging, part), join(self.out_dir, part), INFO_FILE)
        values = {
            **json.loads(summary.to_json()),
            SETTINGS_KEY: noted_settings(features),
            FILES_KEY: files,
        }
        write_text(marker, json.dumps(values, ensure_ascii=False) + "\n")
        remove_tree(self.staging)


def output_files(out_dir: str) -> list[DataFile]:
    """The files of an output: the table's, the state's, the rejects', the summary.

    Args:
        out_dir: A path or a URI.
    """
    names = [
        join(part, name)
        for part in PARTS
        for name in sorted(list_files(join(out_dir, part)) or ())
    ]
    return [DataFile(join(out_dir, n), n) for n in (*names, SUMMARY_FILE)]


def check_places(
    out_dir: str,
    data_dir: str,
    state_dir: str | None,
    options: tuple[str, str, str] = ("out_dir", "data_dir", "state_dir"),
) -> None:
    """Checks that a run's output would not lie in what it reads, or the other way.

    The log may lie in the output's folder, beside what is written there.

    Args:
        out_dir: Folder of the output: a path or a URI.
        data_dir: Folder (or file) of the log.
        state_dir: State to start from, or None.
        options: What a message calls these three.

    Raises:
        OverlapError: They overlap.
        StateError: There is no state.
    """
    parts = tuple(join(out_dir, name) for name in (*PARTS, STAGING, SUMMARY_FILE))
    written = Place(options[0], out_dir, parts)
    check_apart(written, log_place(options[1], data_dir))
    if state_dir is not None:
        state = find_state(state_dir)
        check_apart(written, Place(options[2], state_dir, (state,)))


@contextmanager
def shared_inputs(*places: str | None, held: str | None = None) -> Iterator[None]:
    """Keeps others from replacing what is read until the block ends.

    Of an output it makes no difference whether the folder, one of its parts or a file
    is named. Nothing is written to what is read.

    Args:
        places: Folders or files: paths or URIs; None is passed over.
        held: A folder that the caller holds, now or within the block, so that nobody
            else can: a file in it is read, and the folder not shared.

    Raises:
        FolderInUseError: Another process writes one of them.
    """
    own = None
    if held is not None and not is_remote(held):
        own = os.path.realpath(local_path(held))
    with ExitStack() as shared:
        for place in places:
            if place is None or is_remote(place):
                continue
            path = local_path(place)
            shared.enter_context(share_folder(path))
            folder, name = os.path.split(path)
            is_inside = name in PARTS or os.path.isfile(path)
            if is_inside and os.path.realpath(folder) != own:
                shared.enter_context(share_folder(folder))
        yield
