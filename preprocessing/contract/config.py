"""What the feature engine is told: which features, of which columns."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Literal

from pydantic import Field, field_validator, model_validator

from preprocessing.contract.column_names import (
    CONTRACT_COLUMNS,
    FLAG_COLUMNS,
    LONG_VIEW,
    PLAY_TIME,
    REQUIRED_COLUMNS,
    SOURCE_FILE,
    SOURCE_ROW,
    USER_FEATURES,
    USER_KEY,
    VIDEO_FEATURES,
    WATCH_COLUMNS,
)
from preprocessing.contract.names import Name
from preprocessing.contract.rates import (
    MOST_LABELS,
    KeyFeature,
    RatesConfig,
    Subject,
    find_subject,
    rate_columns_of,
)
from preprocessing.contract.section import Section
from preprocessing.contract.source_config import SourceConfig as SourceConfig
from preprocessing.contract.time_zones import check_time_zone


class NewUserConfig(Section):
    """Who counts as a new user: by hours since first launch, or by view count."""

    max_hours: float | None = Field(
        24.0,
        gt=0,
        description="T_du: new for so many hours after the first launch. Users whose "
        "first launch is unknown are not new. Unused where max_avc is set.",
    )
    max_avc: int | None = Field(
        None,
        ge=0,
        description="New while the accumulated view count is at most this; wins over "
        "max_hours.",
    )

    @model_validator(mode="after")
    def _one_criterion(self) -> NewUserConfig:
        if self.max_hours is None and self.max_avc is None:
            raise ValueError("one of max_hours and max_avc is needed; both are null")
        return self


class NewVideoConfig(Section):
    """Which video counts as new: both conditions hold."""

    max_days: float = Field(
        7.0, gt=0, description="T_dv: at most so many days since the upload."
    )
    max_impressions: int = Field(
        1000, gt=0, description="T_s: fewer impressions than this so far."
    )


class LabelConfig(Section):
    """How one label, 0 or 1, comes from the columns: a column, or a watching rule."""

    column: str | None = Field(
        None,
        min_length=1,
        description="A 0/1 column of the log, or with at_least a numeric one.",
    )
    at_least: float | None = Field(
        None, description="1 where the column is at least this, e.g. a rating."
    )
    rule: Literal["long_view", "finish_view"] | None = Field(
        None,
        description="long_view: play time is at least `percent` of the video's length; "
        "finish_view: at least the length.",
    )
    percent: float = Field(
        60.0, gt=0, description="T_lv, read by the rule long_view alone."
    )
    missing: Literal["reject", "mask"] = Field(
        "reject",
        description="What a row without the label is: a reject, or an impression that "
        "counts for all but this label's task.",
    )

    @model_validator(mode="after")
    def _one_origin(self) -> LabelConfig:
        if (self.column is None) == (self.rule is None):
            raise ValueError("a label needs either a column or a rule")
        if self.at_least is not None and self.column is None:
            raise ValueError("at_least needs a column")
        usable = FLAG_COLUMNS if self.at_least is None else (PLAY_TIME,)
        if self.column in set(CONTRACT_COLUMNS) - set(usable):
            kind = "0/1" if self.at_least is None else "graded"
            raise ValueError(f"column '{self.column}' is no {kind} column")
        return self


class ExtraFeatureConfig(Section):
    """A further feature of the log, declared by name."""

    name: Name = Field(description="The log's column of this name.")
    entity: Literal["user", "video", "context"] = Field(
        description="Whose property it is; context: of the impression."
    )
    type: Literal["categorical", "numeric", "list"] = Field(
        description="categorical: text or whole number, carried as text; numeric: "
        "carried as float32; list: of texts."
    )
    input: bool = Field(
        True,
        description="Whether the model reads it; false carries it along, for example "
        "as a column of sample weights.",
    )


class FeatureConfig(Section):
    """Everything that decides the feature table's columns and values."""

    history_length: int = Field(
        30, gt=0, description="Events kept in a user's history, the last ones."
    )
    history_of: Literal["impressions", "long_views"] = Field(
        "impressions",
        description="Which earlier events a history holds; long_views needs a label "
        "of the name long_view.",
    )
    new_user: NewUserConfig = Field(
        NewUserConfig(), description="Who counts as a new user."
    )
    new_video: NewVideoConfig = Field(
        NewVideoConfig(), description="Which video counts as new."
    )
    time_zone: str | None = Field(
        None,
        description="Where days begin: a name of the IANA time zone database, such as "
        "Asia/Shanghai or Europe/Berlin; summer time is followed.",
    )
    utc_offset_hours: float | None = Field(
        None,
        ge=-24,
        le=24,
        description="Where days begin, without a name: local time less UTC, the same "
        "all year. Without both, days are those of UTC.",
    )
    labels: dict[Name, LabelConfig] = Field(
        default_factory=dict, description="Labels by name."
    )
    extra: tuple[ExtraFeatureConfig, ...] = Field(
        (), description="Further user, video and context features."
    )
    rates: RatesConfig | None = Field(
        None,
        description="Counts and rates of earlier impressions, by video, author, tag, "
        "user and crosses; {} takes the default ones, null computes none.",
    )
    shards: int = Field(
        16,
        gt=0,
        le=100_000,
        description="Parts that users (and videos) are divided into by hash. One part "
        "is worked on in memory: about a million rows each is a good size.",
    )
    last_day: datetime.date | None = Field(
        None,
        description="Rows of a later day are rejected; without it, rows more than a "
        "day later than the run itself, and a few rows more than a week later than "
        "all others. With a state that is handed on from day to day "
        "it is the log's day: one wrong clock would otherwise move the state's end, "
        "and all that comes before it would be late.",
    )
    max_reject_rate: float = Field(
        0.05, ge=0, le=1, description="A run with more rejected rows than this fails."
    )

    @property
    def calendar(self) -> str | float:
        """Where days begin: `time_zone`, else `utc_offset_hours`, else UTC's 0."""
        return self.time_zone or self.utc_offset_hours or 0.0

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, name: str | None) -> str | None:
        return None if name is None else check_time_zone(name)

    @model_validator(mode="after")
    def _one_calendar(self) -> FeatureConfig:
        if self.time_zone is not None and self.utc_offset_hours is not None:
            raise ValueError(
                "days begin by time_zone or by utc_offset_hours, not by both. "
                f"Received: {self.time_zone} and {self.utc_offset_hours:g}"
            )
        return self

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The columns that labels are read from, each once."""
        named = (label.column for label in self.labels.values() if label.column)
        return tuple(dict.fromkeys(named))

    @property
    def graded_columns(self) -> tuple[str, ...]:
        """Those that a label compares with a threshold; the others are 0/1."""
        graded = (
            label.column
            for label in self.labels.values()
            if label.column and label.at_least is not None
        )
        return tuple(dict.fromkeys(graded))

    @property
    def inputs(self) -> tuple[ExtraFeatureConfig, ...]:
        """The further features that the model reads."""
        return tuple(extra for extra in self.extra if extra.input)

    @property
    def weight_columns(self) -> tuple[str, ...]:
        """The columns that may hold weights of impressions."""
        numeric = (extra.name for extra in self.extra if extra.type == "numeric")
        return (*WATCH_COLUMNS, *self.graded_columns, *numeric)

    @property
    def watch_labels(self) -> bool:
        """Whether a label needs play time and duration."""
        return any(label.rule for label in self.labels.values())

    @property
    def masked_labels(self) -> tuple[str, ...]:
        """The labels that a row may lack."""
        return tuple(
            name for name, label in self.labels.items() if label.missing == "mask"
        )

    @property
    def rate_labels(self) -> tuple[str, ...]:
        """The labels whose rates are computed."""
        return () if self.rates is None else self.rates.labels or tuple(self.labels)

    @property
    def rate_subjects(self) -> tuple[Subject, ...]:
        """The subjects whose impressions are counted."""
        if self.rates is None:
            return ()
        keys = {
            extra.name: KeyFeature(extra.entity, extra.type == "list")
            for extra in self.extra
            if extra.type != "numeric"
        }
        return tuple(
            find_subject(name, settings, keys)
            for name, settings in self.rates.subjects.items()
        )

    @property
    def rate_columns(self) -> tuple[str, ...]:
        """The columns of rates and counts, by subject and label."""
        return tuple(
            column
            for subject in self.rate_subjects
            for column in rate_columns_of(subject.name, self.rate_labels)
        )

    @property
    def columns_of_every_row(self) -> tuple[str, ...]:
        """The columns that a row cannot be accepted without, each once."""
        columns = [*REQUIRED_COLUMNS]
        for label in self.labels.values():
            if label.missing == "reject":
                columns += [label.column] if label.column else WATCH_COLUMNS
        return tuple(dict.fromkeys(columns))

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """Columns that every file must have beside the ids and the time."""
        watch = WATCH_COLUMNS if self.watch_labels else ()
        extras = (feature.name for feature in self.extra)
        return tuple(dict.fromkeys((*watch, *self.label_columns, *extras)))

    @model_validator(mode="after")
    def _distinct_names(self) -> FeatureConfig:
        features = {
            *(*VIDEO_FEATURES, *USER_FEATURES),
            *(USER_KEY, SOURCE_FILE, SOURCE_ROW),
        }
        taken = features | set(CONTRACT_COLUMNS)
        _refuse(self.label_columns, features, "labels: column", "is a computed feature")
        others = set(self.label_columns) | taken
        for name, label in self.labels.items():
            if label.column in self.graded_columns and label.at_least is None:
                raise ValueError(
                    f"labels: '{name}' takes column '{label.column}' for 0/1, another "
                    "label compares it with at_least"
                )
            if name != label.column or label.at_least is not None:
                _refuse([name], others, "labels:", "is the name of another column")
        taken |= set(self.labels)
        for extra in self.extra:
            _refuse(
                [extra.name],
                set(self.label_columns),
                "extra:",
                "is a label's column, so as a feature it would give the label away",
            )
            _refuse([extra.name], taken, "extra:", "is the name of another column")
            taken.add(extra.name)
        taken |= set(self._distinct_rate_columns(taken))
        _refuse_same_but_case(taken)
        if self.history_of == "long_views" and LONG_VIEW not in self.labels:
            raise ValueError("history_of: long_views needs a label named 'long_view'")
        return self

    def _distinct_rate_columns(self, taken: set[str]) -> tuple[str, ...]:
        unknown = set(self.rate_labels) - set(self.labels)
        if unknown or (self.rates and not 0 < len(self.rate_labels) <= MOST_LABELS):
            raise ValueError(
                f"rates: labels: expected 1 to {MOST_LABELS} of features.labels "
                f"({', '.join(self.labels) or 'none'}). "
                f"Received: {', '.join(self.rate_labels) or 'none'}"
            )
        columns = self.rate_columns
        again = {name for name in columns if columns.count(name) > 1}
        _refuse(columns, taken | again, "rates:", "is the name of another column")
        return columns


def _refuse_same_but_case(names: set[str]) -> None:
    """TensorFlow's graphs and some file systems take such names for one."""
    known: dict[str, str] = {}
    for name in sorted(names):
        other = known.setdefault(name.lower(), name)
        if other != name:
            raise ValueError(
                f"names must differ in more than case: '{other}', '{name}'"
            )


def _refuse(names: Iterable[str], taken: set[str], where: str, why: str) -> None:
    for name in names:
        if name in taken:
            raise ValueError(f"{where} '{name}' {why}")
