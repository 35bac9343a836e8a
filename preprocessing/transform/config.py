"""Settings of the Transform: bucket boundaries, vocabularies, lengths."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Boundaries = tuple[float, ...]


class VocabularyConfig(BaseModel):
    """How the ids of one kind become rows of an embedding table."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_size: Annotated[int, Field(gt=0)] | None = Field(
        None, description="Keep the most frequent ids only; by default all."
    )
    min_count: int = Field(
        1, ge=1, description="Ids seen less often share the out-of-vocabulary rows."
    )
    oov_buckets: int = Field(
        1, ge=1, description="Rows that unknown ids are hashed into."
    )
    hash_buckets: Annotated[int, Field(gt=0)] | None = Field(
        None,
        description="Hash all ids into that many rows and keep no vocabulary: for ids "
        "of which there is no end. Two ids may share a row.",
    )

    @model_validator(mode="after")
    def _hashed_or_kept(self) -> VocabularyConfig:
        fields = type(self).model_fields
        kept = [
            name
            for name in ("max_size", "min_count", "oov_buckets")
            if getattr(self, name) != fields[name].default
        ]
        if self.hash_buckets and kept:
            raise ValueError(
                "hash_buckets must stand alone, since there is no vocabulary then. "
                f"Received: {', '.join(kept)} as well"
            )
        return self


class TransformConfig(BaseModel):
    """How the feature table becomes model inputs (`preprocessing.transform.graph`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    avc_boundaries: Boundaries = Field(
        (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384),
        description="Upper bounds of the accumulated view count's buckets.",
    )
    avc_quantiles: int | None = Field(
        None, ge=2, description="Buckets of equal counts instead of fixed boundaries."
    )
    age_hours_boundaries: Boundaries = Field(
        (1, 3, 6, 12, 24, 48, 96, 168, 336, 720, 2160, 8760),
        description="Buckets of video age and of hours since first launch.",
    )
    count_boundaries: Boundaries = Field(
        (1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 100000),
        description="Buckets of a video's impressions so far, and of the counts of "
        "rate_buckets.",
    )
    rate_buckets: int | None = Field(
        None,
        ge=2,
        le=1000,
        description="Makes the bucket of each rate and each count of features.rates an "
        "input beside its number, and a possible code: of a rate so many buckets of "
        "equal counts, of a count those of count_boundaries. null makes none.",
    )
    gap_hours_boundaries: Boundaries = Field(
        (0.02, 0.1, 0.5, 2, 12, 24, 72, 168, 720),
        description="Buckets of the time since an impression of the history.",
    )
    max_tags: int = Field(4, gt=0, description="Tags of a video that are kept.")
    max_list: int = Field(8, gt=0, description="Entries of a declared list feature.")
    vocabularies: dict[str, VocabularyConfig] = Field(
        default_factory=dict,
        description="By column: user_id, video_id, author_id, video_tags or a declared "
        "feature.",
    )

    @field_validator(
        "avc_boundaries",
        "age_hours_boundaries",
        "count_boundaries",
        "gap_hours_boundaries",
    )
    @classmethod
    def _ascending(cls, bounds: Boundaries) -> Boundaries:
        if not bounds or any(a >= b for a, b in pairwise(bounds)):
            raise ValueError(f"boundaries must ascend. Received: {bounds}")
        return bounds

    def vocabulary(self, column: str) -> VocabularyConfig:
        """The settings of a column's vocabulary, or the defaults."""
        return self.vocabularies.get(column, VocabularyConfig())
