"""Columns of a log that are not used, because what they are called is computed."""

from __future__ import annotations

from preprocessing.contract.column_names import USER_FEATURES, VIDEO_FEATURES
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.source_config import SourceConfig
from preprocessing.mapping.log_columns import LogColumns
from preprocessing.sources import open_reader


def computed_column_notes(
    source: SourceConfig, features: FeatureConfig, data_dir: str
) -> list[str]:
    """A line on the log's own columns of the names of features, and one on labels'.

    Args:
        source: Names the format, and the columns that are read under other names.
        features: Says which labels are computed.
        data_dir: Folder (or file) of the log: a path or a URI.

    Returns:
        Lines for people to read; none where the log has no such column, or is a data
        set's official files.

    Raises:
        SourceError: There are no files, or one cannot be read.
    """
    if source.is_data_set:
        return []
    reader = open_reader(source, data_dir)
    used = {*source.where, *source.explode.fields}
    used |= {*LogColumns(source, features).physical}
    held = {name for file in reader.files() for name in reader.names(file)} - used
    computed = {
        "feature": (*USER_FEATURES, *VIDEO_FEATURES, *features.rate_columns),
        "label": (n for n, label in features.labels.items() if label.column != n),
    }
    found = {
        kind: [name for name in names if name in held]
        for kind, names in computed.items()
    }
    return [_note(names, kind) for kind, names in found.items() if names]


def _note(names: list[str], kind: str) -> str:
    shown = ", ".join(names)
    if len(names) == 1:
        which, why = f"column {shown} of the log is", f"the {kind} of this name is"
    else:
        which, why = f"columns {shown} of the log are", f"{kind}s of these names are"
    return f"{which} not used: {why} computed"
