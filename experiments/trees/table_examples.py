"""Examples of a feature table for as long as they are looked at."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.config import LogConfig
from pipeline.examples.day_split import EVAL, TRAIN
from pipeline.examples.from_table import examples_from_table
from pipeline.examples.places import Places
from preprocessing.engine.cores import usable_cores
from preprocessing.engine.feature_table import open_feature_table


@contextmanager
def examples_of_table(folder: str, config: LogConfig) -> Iterator[tuple[Path, Path]]:
    """Splits a feature table as a run would, into temporary files.

    Args:
        folder: What `poso features` wrote.
        config: Says how it was made and how it is split.

    Yields:
        The folders of the examples to train and to evaluate on.

    Raises:
        SourceError: The table is not whole, or of another configuration.
        SettingsError: It was made with other settings.
        EmptySplitError: A split has no impressions.
    """
    table = open_feature_table(folder, config.features)
    with tempfile.TemporaryDirectory(prefix="poso-yardstick-") as temporary:
        root = Path(temporary)
        splits = {name: root / name for name in (TRAIN, EVAL)}
        rejects = root / "rejects"
        rejects.mkdir()
        places = Places(root / "examples", splits, str(rejects))
        examples_from_table(table, config, places, usable_cores())
        yield splits[TRAIN], splits[EVAL]
