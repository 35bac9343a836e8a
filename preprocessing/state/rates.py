"""State of the rates: how often each subject was shown before a log begins, and how.

One row per subject and key (`rate_state_schema`):

| column | |
|---|---|
| `subject` | its name in the configuration, such as "user_x_author"; `EVERYTHING` is the whole log |
| `key` | the video, author, tag, user, ...; "" for the whole log |
| `other` | the second half of a cross's key; null for a subject of one column |
| `day` | the last day (`arrays.days.begun_day`) with an impression of the key |
| `MEASURE_before` | sum of a measure until that day began; with a half-life weighted as of that day |
| `MEASURE_today` | its sum on that day |

The measures are `impressions`, `LABEL_known` where a label may be missing, and
`LABEL_positive` (`measure_names`).
"""  # noqa: E501  (a table's rows cannot be broken)

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from preprocessing.contract.column_names import USER_ID, VIDEO_ID
from preprocessing.contract.config import FeatureConfig
from preprocessing.contract.rates import Pass
from preprocessing.state.schema import StateError

SUBJECT, KEY, OTHER, DAY = "subject", "key", "other", "day"
EVERYTHING = "everything"
IMPRESSIONS = "impressions"

# The column that a pass divides its tables by.
PASS_KEYS: dict[Pass, str] = {"users": USER_ID, "videos": VIDEO_ID, "subjects": KEY}


def measure_names(config: FeatureConfig) -> tuple[str, ...]:
    """What is counted of an impression, 0 or 1 each."""
    masked = set(config.masked_labels)
    labels = config.rate_labels
    known = (known_measure(label) for label in labels if label in masked)
    return (IMPRESSIONS, *known, *map(positive_measure, labels))


def known_measure(label: str) -> str:
    """The measure of impressions whose label is known, where it may be missing."""
    return f"{label}_known"


def positive_measure(label: str) -> str:
    """The measure of impressions whose label is 1."""
    return f"{label}_positive"


def rate_state_schema(config: FeatureConfig) -> pa.Schema:
    """Schema of the rates' state, for the labels of a configuration."""
    sums = []
    for measure in measure_names(config):
        sums.append(pa.field(f"{measure}_before", pa.float64(), nullable=False))
        sums.append(pa.field(f"{measure}_today", pa.int64(), nullable=False))
    return pa.schema(
        [
            pa.field(SUBJECT, pa.string(), nullable=False),
            pa.field(KEY, pa.string(), nullable=False),
            pa.field(OTHER, pa.string()),
            pa.field(DAY, pa.int64(), nullable=False),
            *sums,
        ]
    )


def select_rate_state(table: pa.Table, config: FeatureConfig) -> pa.Table:
    """What a configuration needs of a state's rates, by its `rate_state_schema`.

    Raises:
        StateError: Columns are missing, of another type, or hold nulls.
    """
    schema = rate_state_schema(config)
    for field in schema:
        found = table.schema.get_field_index(field.name)
        if found < 0 or table.schema.field(found).type != field.type:
            raise StateError(
                f"a state's rates need a column '{field.name}' ({field.type}). "
                f"Received: {table.schema.names}"
            )
        if not field.nullable and table[field.name].null_count:
            raise StateError(f"a state's rates hold nulls in '{field.name}'")
    names = [EVERYTHING, *(subject.name for subject in config.rate_subjects)]
    wanted = pc.is_in(table[SUBJECT], value_set=pa.array(names))
    return table.select(schema.names).cast(schema).filter(wanted)


def divide_rate_state(
    table: pa.Table, config: FeatureConfig
) -> Iterator[tuple[Pass | None, pa.Table]]:
    """Divides a state by the passes that continue it.

    Args:
        table: By `rate_state_schema`.
        config: Names the subjects.

    Yields:
        The pass and its rows, whose `key` is named like the pass's key
        (`PASS_KEYS`); None for the rows of `EVERYTHING`.
    """
    by_pass: dict[Pass | None, list[str]] = {None: [EVERYTHING]}
    for subject in config.rate_subjects:
        by_pass.setdefault(subject.counted_in, []).append(subject.name)
    for counted_in, names in by_pass.items():
        rows = table.filter(pc.is_in(table[SUBJECT], value_set=pa.array(names)))
        if rows.num_rows:
            yield counted_in, named_for_pass(rows, counted_in)


def named_for_pass(rows: pa.Table, counted_in: Pass | None) -> pa.Table:
    """The same rows, the key named as the pass's tables name it."""
    if counted_in is None:
        return rows
    names = [PASS_KEYS[counted_in] if n == KEY else n for n in rows.schema.names]
    return rows.rename_columns(names)


def rates_of_pass(
    tables: list[pa.Table], counted_in: Pass, config: FeatureConfig
) -> pa.Table:
    """What `divide_rate_state` gave a pass, as one table by `rate_state_schema`."""
    schema = rate_state_schema(config)
    renamed = [table.rename_columns(schema.names).cast(schema) for table in tables]
    return pa.concat_tables([schema.empty_table(), *renamed]).combine_chunks()


def is_rate_state(table: pa.Table) -> bool:
    """Whether a table of a shard is of `divide_rate_state`."""
    return table.schema.names[0] == SUBJECT and DAY in table.schema.names
