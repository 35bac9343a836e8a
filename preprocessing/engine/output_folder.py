"""An output folder that does not look whole before it is.

OUT/features/*.parquet   the feature table
OUT/rejects/*.parquet    rows that broke the contract
OUT/state/               the state after the log (state.files)
OUT/summary.json         the counts; written last, so it marks a whole output
OUT/_incomplete/         what a run is writing, or what a failed one has left
"""

from __future__ import annotations

from preprocessing.checks.counts import LogSummary
from preprocessing.engine.outputs import FEATURES, REJECTS, STATE
from preprocessing.state.files import INFO_FILE
from preprocessing.storage.files import (
    is_file,
    join,
    move_tree,
    remove_tree,
    write_text,
)

SUMMARY_FILE = "summary.json"


class OutputFolder:
    """Where a run writes, and how what it wrote becomes the output.

    Until `finish` an earlier output stays as it is.

    Args:
        out_dir: A path or a URI.
    """

    def __init__(self, out_dir: str):
        self.out_dir = out_dir
        self.staging = join(out_dir, "_incomplete")

    def begin(self) -> None:
        """Removes what an earlier run, killed or failed, has left."""
        remove_tree(self.staging)

    def finish(self, summary: LogSummary) -> None:
        """Replaces an earlier output by the new one.

        A process that is killed meanwhile leaves a folder without `summary.json`; a
        state that it leaves is whole.
        """
        marker = join(self.out_dir, SUMMARY_FILE)
        for file in (marker, join(self.out_dir, STATE, INFO_FILE)):
            if is_file(file):
                remove_tree(file)
        for part in (FEATURES, REJECTS, STATE):
            remove_tree(join(self.out_dir, part))
            move_tree(join(self.staging, part), join(self.out_dir, part), INFO_FILE)
        write_text(marker, summary.to_json() + "\n")
        remove_tree(self.staging)
