"""An output folder that does not look whole before it is.

OUT/features/*.parquet   the feature table
OUT/rejects/*.parquet    rows that broke the contract
OUT/state/               the state after the log (state.files)
OUT/summary.json         counts and names of these files; written last: it marks a whole
OUT/_incomplete/         what a run is writing, or what a failed one has left
"""

from __future__ import annotations

import json

from preprocessing.checks.counts import LogSummary
from preprocessing.engine.earlier_output import (
    FILES_KEY,
    PARTS,
    STAGING,
    SUMMARY_FILE,
    check_replaceable,
)
from preprocessing.engine.outputs import STATE
from preprocessing.state.files import INFO_FILE
from preprocessing.storage.files import (
    is_file,
    join,
    list_files,
    move_tree,
    remove_tree,
    write_text,
)


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

    def begin(self) -> None:
        """Removes what an earlier run, killed or failed, has left."""
        remove_tree(self.staging)

    def finish(self, summary: LogSummary) -> None:
        """Replaces an earlier output by the new one.

        A process that is killed meanwhile leaves a folder without `summary.json`; a
        state that it leaves is whole.

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
        values = {**json.loads(summary.to_json()), FILES_KEY: files}
        write_text(marker, json.dumps(values, ensure_ascii=False) + "\n")
        remove_tree(self.staging)
